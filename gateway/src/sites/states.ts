import { describe } from '@whorl/protocol';
import type { z } from 'zod';
import type { Log } from '../settings/log.ts';
import type { SiteRow } from '../store/sites.ts';
import type { Store } from '../store/store.ts';
import type { SiteState } from './seat.ts';
import { siteViewSchema } from './operations.ts';

const schema = siteViewSchema.pick({
  ...{
    online: true,
    success: true,
    tookMs: true,
    version: true,
    apartMs: true,
    summary: true,
    trouble: true,
  },
}) satisfies z.ZodType<SiteState>;

/** How sites stand, for the other processes of the master: notes in the database that they share. */
export class SiteStates {
  readonly #store: Pick<Store, 'note' | 'saveNote'>;
  readonly #log: Log;

  constructor(store: Pick<Store, 'note' | 'saveNote'>, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** @throws WhorlError STORE_* */
  async of({ name }: Pick<SiteRow, 'name'>): Promise<SiteState | undefined> {
    const note = await this.#store.note(key(name));
    return note === undefined ? undefined : schema.safeParse(JSON.parse(note)).data;
  }

  keep({ name }: Pick<SiteRow, 'name'>, state: SiteState): void {
    this.#store.saveNote(key(name), JSON.stringify(state)).catch((error: unknown) => {
      this.#log.warn({ site: name }, `how site ${name} stands could not be kept: ${describe(error)}`);
    });
  }
}

/** By its name: whoever has its sync id after it has not stood anywhere yet. */
function key(name: string): string {
  return `site.state of ${name}`;
}
