import type { Cursor, Stream } from '../store/sites.ts';
import type { Answered } from './conversation.ts';
import type { SitesGround } from './ground.ts';
import type { Pace } from './pace.ts';
import type { Ask, RequestOf } from './requests.ts';

/** What is going on in an exchange. */
export type StepName =
  'login' | 'offers' | 'events' | 'users' | 'walk' | 'check' | 'holdings' | 'lists' | 'files';

/** One exchange: whom it is with, and how far it is. */
export interface Talk {
  readonly ground: SitesGround;
  readonly pace: Pace;
  readonly ask: <Kind extends Ask>(
    request: RequestOf<Kind>,
    blobs?: readonly Uint8Array[],
  ) => Promise<Answered<Kind>>;
  /** How far the master is in a log here. */
  readonly reached: (stream: Stream, cursor: Cursor | null) => void;
  /** @param left rows that are left of this step */
  readonly progress: (step: StepName, left: number) => void;
}
