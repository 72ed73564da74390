import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { putKey, resealAside } from './aside.ts';
import type { Backups } from './backups.ts';
import type { Ground } from './ground.ts';
import { keyRow } from './keys.ts';
import type { Keys } from './keys.ts';
import type { FoundKey, MasterPlaces } from './master-key.ts';
import { Renewal } from './renewal.ts';
import type { Master, Ring } from './ring.ts';
import type { Sqlite } from './sqlite.ts';
import { insertEvents } from './tables/events.ts';
import { putMaster, countKeys, endMasters, fitOf, masters } from './tables/masters.ts';
import { note, putNote } from './tables/small.ts';
import type { MasterView, Renewed, Rotated, VaultStatus, VaultStore } from './vault-store.ts';
import { KEY_BYTES, Vault } from './vault.ts';
import type { RandomBytes } from './vault.ts';
import { LIMIT } from './tables/where.ts';

/** Data keys resealed in one transaction: a few milliseconds. */
const BATCH = 200;
/** That a former master key may still be needed, and by what: paths. */
export const UNSETTLED_NOTE = 'vault.unsettled';
const unsettledSchema = z.array(z.string());

interface RotationParts {
  readonly db: Sqlite;
  readonly keys: Keys;
  readonly ring: Ring;
  readonly backups: Backups;
  readonly random: RandomBytes;
  readonly ground: Ground;
  /** `undefined` for a database in memory. */
  readonly disk: { readonly data: string; readonly places: MasterPlaces } | undefined;
}

/** Changes the master key of an SQLite database. */
export class Rotation implements VaultStore {
  readonly #parts: RotationParts;
  readonly #renewal: Renewal;

  constructor(parts: RotationParts) {
    this.#parts = parts;
    const { db, keys, backups } = parts;
    this.#renewal = new Renewal({ db, keys, keepsOld: () => backups.mayExist });
  }

  async status(): Promise<VaultStatus> {
    return this.#status();
  }

  async begin(time: number): Promise<VaultStatus> {
    const { db, ring, random, disk } = this.#parts;
    if (ring.changing) return this.#status();
    const { name, members = [] } = db.roles?.membership() ?? {};
    const others = members.filter((one) => one !== name);
    if (others.length > 0) throw new WhorlError('VAULT_SHARED', `also at work: ${others.join(', ')}`);
    this.#settle();
    const found: FoundKey = disk?.places.next(ring.newest.place, random) ?? {
      key: random(KEY_BYTES),
      place: { kind: 'memory', name: '', next: false },
    };
    const vault = new Vault(found.key, random);
    const rows = masters(db);
    if (rows.some(({ fit }) => fit === fitOf(vault)))
      throw new WhorlError('VAULT_NEXT_KEY', `the key in ${found.place.name} is or was in use already`);
    const number = (rows.at(-1)?.number ?? 0) + 1;
    await db.write(() => {
      putMaster(db, { number, fit: fitOf(vault), since: time });
    });
    ring.add({ ...found, number, vault });
    return this.#status();
  }

  reseal(): Promise<number> {
    const { db, keys, ring } = this.#parts;
    return db.write(() => {
      const { number } = ring.newest;
      const rows = db.all(`SELECT * FROM keys WHERE master < ? ${LIMIT}`, number, BATCH).map(keyRow);
      for (const row of rows) putKey(db, keys.rewrapped(row, number));
      return rows.length;
    });
  }

  async finish(time: number): Promise<Rotated> {
    const { db, ring } = this.#parts;
    const { number, place } = ring.newest;
    const events = await db.write(() => {
      const count = countKeys(db);
      if (!ring.changing || countKeys(db, 'of', number) < count) return [];
      endMasters(db, number, time);
      putNote(db, UNSETTLED_NOTE, '[]');
      const data = { number, from: place.kind, keys: count };
      return insertEvents(db, [{ type: 'vault.rotated', time, data }]);
    });
    if (events.length > 0) {
      for (const old of [...ring.vaults.keys()].filter((one) => one !== number)) ring.drop(old);
      this.#settle();
    }
    return { status: this.#status(), events };
  }

  async beginRenewal(): Promise<VaultStatus> {
    await this.#renewal.begin();
    return this.#status();
  }

  renew(from: number, time: number): Promise<Renewed> {
    return this.#renewal.renew(from, time);
  }

  /** Ends what a process that was killed had begun, once the store is open. */
  resume(): void {
    const { changing, newest } = this.#parts.ring;
    if (!changing) this.#settle(newest.place.kind === 'file' && newest.place.next);
  }

  /** After a backup: a directory that could not be written before may have been reached with it. */
  backedUp(): void {
    if (!this.#parts.ring.changing) this.#settle();
  }

  /** Brings all under the present master key that lies outside of the database, then lets go of the former ones. */
  #settle(anyway = false): void {
    const { db, ring, backups, random, ground, disk } = this.#parts;
    if (disk === undefined || (!anyway && note(db, UNSETTLED_NOTE) === undefined)) return;
    // Data keys under the former one stand there.
    db.forgetLog();
    const { data, places } = disk;
    const { number, place } = ring.newest;
    const aside = resealAside(ground, data, ring.newest, places.all().found, random);
    const unreached = [...backups.renewKeys(), ...aside];
    const formers = masters(db).filter((row) => row.number !== number);
    const formerly = (key: Uint8Array): number | undefined => {
      const fit = fitOf(new Vault(key, random));
      return formers.find((row) => row.fit === fit)?.number;
    };
    ring.moved(number, places.settle(place, formerly, unreached.length > 0));
    putNote(db, UNSETTLED_NOTE, unreached.length === 0 ? undefined : JSON.stringify(unreached));
  }

  #status(): VaultStatus {
    const { db, ring, disk } = this.#parts;
    const unsettled = note(db, UNSETTLED_NOTE);
    const renewing = this.#renewal.status();
    return {
      master: this.#view(ring.oldest),
      ...(ring.changing ? { next: this.#view(ring.newest) } : {}),
      ...(renewing === undefined ? {} : { renewing }),
      former: disk?.places.former() ?? [],
      unreached: unsettled === undefined ? [] : unsettledSchema.parse(JSON.parse(unsettled)),
    };
  }

  #row({ number }: Master): { readonly since?: number } {
    const row = masters(this.#parts.db).find((one) => one.number === number);
    return row?.since === undefined ? {} : { since: row.since };
  }

  #view(master: Master): MasterView {
    const { number, place } = master;
    const keys = countKeys(this.#parts.db, 'of', number);
    const { kind, name, next: toMove } = place;
    return { number, kind, place: name, ...this.#row(master), keys, toMove };
  }
}
