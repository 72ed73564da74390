import type { SiteRow } from '../store/sites.ts';
import { forgotten } from './forgotten.ts';
import type { SitesGround } from './ground.ts';
import type { Lists } from './lists.ts';
import type { Ask, Request } from './requests.ts';
import { serveChanges, serveCheck, serveWalk } from './serving.ts';
import type { Walked } from './serving.ts';
import { takeEvents, takeHoldings, takeOffers } from './taking.ts';

/** What is answered to a question, whoever asks it in whatever session. */
export interface Answer {
  readonly answer: object;
  readonly blobs: readonly Uint8Array[];
}

type Rows = Exclude<Ask, 'open' | 'kept' | 'ping' | 'echoed' | 'left' | 'ended'>;

/** The master answers what a satellite asks about users, events, lists. @throws WhorlError SITES_*, STORE_*, VAULT_SEALED */
export async function answerOf(
  { ground, lists }: { readonly ground: SitesGround; readonly lists: Lists },
  site: SiteRow,
  {
    request,
    blobs,
    walked,
  }: {
    readonly request: Extract<Request, { ask: Rows }>;
    readonly blobs: readonly Uint8Array[];
    readonly walked: Walked[];
  },
): Promise<Answer> {
  switch (request.ask) {
    case 'offers':
      return { answer: await takeOffers(ground, site, request, blobs), blobs: [] };
    case 'events':
      return { answer: await takeEvents(ground, site, request), blobs: [] };
    case 'holdings':
      return { answer: await takeHoldings(ground, site, request), blobs: [] };
    case 'users':
      return serveChanges(ground, site, request);
    case 'walk':
      return serveWalk(ground, site, request, walked);
    case 'check':
      return { answer: await serveCheck(ground, site, request), blobs: [] };
    case 'back':
      await ground.site.store.sites.doubtHeld(site.syncId);
      return { answer: {}, blobs: [] };
    case 'gone':
      await forgotten(ground, site, request);
      return { answer: {}, blobs: [] };
    case 'lists':
      return { answer: await lists.serve(site, request), blobs: [] };
    case 'file':
      return lists.piece(site, request);
  }
}
