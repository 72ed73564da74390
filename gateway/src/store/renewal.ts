import { z } from 'zod';
import type { StoredEvent } from '../events/catalogue.ts';
import type { Keys } from './keys.ts';
import type { Sqlite } from './sqlite.ts';
import { conflictsToRenew, renewConflictKey } from './tables/conflicts.ts';
import { insertEvents } from './tables/events.ts';
import { note, putNote } from './tables/small.ts';
import { renewUserKey, usersToRenew } from './tables/users.ts';
import type { Renewed, Renewing } from './vault-store.ts';

/** People sealed anew in one transaction: some milliseconds, with photos. */
const BATCH = 25;
/** How far a renewal is, while there is one. */
const RENEWAL_NOTE = 'vault.renewal';
const progress = z.strictObject({
  /** Last user, and last conflict, that has a new key. */
  user: z.int(),
  conflict: z.int(),
  done: z.int(),
});

interface RenewalParts {
  readonly db: Sqlite;
  readonly keys: Keys;
  /** Whether the data keys of before are still needed to read what backups hold. */
  readonly keepsOld: () => boolean;
}

/**
 * Gives everybody a data key of their own anew, some in each transaction, by ascending number: who comes meanwhile has a
 * new one already. Where it stands is stored with each step, so that it goes on from there whatever ended it.
 */
export class Renewal {
  readonly #parts: RenewalParts;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  status(): Renewing | undefined {
    const at = this.#at();
    if (at === undefined) return undefined;
    const { db } = this.#parts;
    const left = usersToRenew(db, at.user) + conflictsToRenew(db, at.conflict);
    return { done: at.done, left };
  }

  /** Begins one, unless there is one. */
  async begin(): Promise<void> {
    const { db } = this.#parts;
    await db.write(() => {
      if (this.#at() === undefined) this.#put({ user: 0, conflict: 0, done: 0 });
    });
  }

  /** @param from how many were done before @param time milliseconds UTC */
  renew(from: number, time: number): Promise<Renewed> {
    const { db, keys, keepsOld } = this.#parts;
    return db.write(() => {
      const at = this.#at();
      if (at?.done !== from) return { count: 0, events: [] };
      const keeps = keepsOld();
      const users = renewUserKey(db, keys, { after: at.user, most: BATCH, keeps });
      const conflicts =
        users.length > 0 ? [] : renewConflictKey(db, keys, { after: at.conflict, most: BATCH, keeps });
      const count = users.length + conflicts.length;
      if (count === 0) return { count, events: this.#end(at.done, time) };
      const user = users.at(-1) ?? at.user;
      const conflict = conflicts.at(-1) ?? at.conflict;
      this.#put({ user, conflict, done: at.done + count });
      return { count, events: [] };
    });
  }

  #end(keys: number, time: number): readonly StoredEvent[] {
    const { db } = this.#parts;
    putNote(db, RENEWAL_NOTE, undefined);
    return insertEvents(db, [{ type: 'vault.keys.renewed', time, data: { keys } }]);
  }

  #at(): z.infer<typeof progress> | undefined {
    const held = note(this.#parts.db, RENEWAL_NOTE);
    return held === undefined ? undefined : progress.parse(JSON.parse(held));
  }

  #put(at: z.infer<typeof progress>): void {
    putNote(this.#parts.db, RENEWAL_NOTE, JSON.stringify(at));
  }
}
