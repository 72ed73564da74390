import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { eraseAside } from './aside.ts';
import type { BackupReport, BackupStore, Erased, Loss } from './backup.ts';
import { syncDirectory } from './durable.ts';
import type { Files, Ground } from './ground.ts';
import { keysFile, writeKeysFile } from './keys-file.ts';
import { keyRow } from './keys.ts';
import type { Keys } from './keys.ts';
import type { Ring } from './ring.ts';
import type { SealedCopy } from './sealed-copy.ts';
import { translatedFile } from './sqlite-errors.ts';
import type { Sqlite } from './sqlite.ts';
import { erasedUnderWay, eraseUser } from './tables/erased.ts';
import { insertEvents } from './tables/events.ts';
import { note, putNote } from './tables/small.ts';
import { bury } from './tables/tombstones.ts';
import { countUsers, readUser } from './tables/users.ts';

/** The note that tells this database from others. */
export const STORE_NOTE = 'store.id';
/** Users whose keys may still stand beside backups, or in databases put aside. */
const UNFINISHED_NOTE = 'erase.unfinished';
const PLACES_NOTE = 'backup.places';
const placesSchema = z.array(z.string());

interface BackupParts {
  readonly db: Sqlite;
  readonly keys: Keys;
  /** `undefined` for a database in memory. */
  readonly data: string | undefined;
  readonly random: (length: number) => Uint8Array;
  readonly ring: Ring;
  readonly ground: Ground;
  /** Told of each backup that was made. */
  readonly made: () => void;
}

/** Backups of an SQLite database. */
export class Backups implements BackupStore {
  readonly #parts: BackupParts;

  constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  async make(file: string): Promise<BackupReport> {
    const { db, data, ground, ring } = this.#parts;
    const { files } = ground;
    if (files.existsSync(file)) throw new WhorlError('BACKUP_EXISTS', file);
    if (!files.existsSync(dirname(file))) throw new WhorlError('BACKUP_BAD', `no folder ${dirname(file)}`);
    await this.#remember(dirname(file));
    const scratch = translatedFile(() => files.mkdtempSync(join(data ?? tmpdir(), 'backup-')));
    const partial = join(dirname(file), `.${basename(file)}.partial`);
    try {
      const raw = join(scratch, 'raw.db');
      makeOwn(files, raw);
      makeOwn(files, partial);
      // One that goes out of use while it is copied is needed to read the copy back.
      const before = ring.keys;
      await db.copyTo(raw);
      await inThread({ raw, to: partial, masters: new Map([...before, ...ring.keys]) });
      this.#writeKeys(dirname(file));
      translatedFile(() => {
        files.renameSync(partial, file);
        syncDirectory(files, dirname(file));
      });
    } finally {
      files.rmSync(scratch, { recursive: true, force: true });
      files.rmSync(partial, { force: true });
    }
    this.#parts.made();
    return { file, bytes: files.statSync(file).size, users: countUsers(db) };
  }

  async copy(file: string): Promise<void> {
    const { db, ground } = this.#parts;
    if (ground.files.existsSync(file)) throw new WhorlError('BACKUP_EXISTS', file);
    makeOwn(ground.files, file);
    await db.copyTo(file);
  }

  async erase(user: number, losses: readonly Loss[], time: number, by = 'gateway'): Promise<Erased> {
    const { db, keys: held } = this.#parts;
    const done = await db.write(() => {
      bury(db, held, { user, time, by, how: 'erased' }, readUser(db, held, user));
      const keys = eraseUser(db, user, losses, time);
      if (keys.length === 0) throw new WhorlError('USER_UNKNOWN', `nothing is held of user ${user}`);
      putNote(db, UNFINISHED_NOTE, JSON.stringify([...new Set([...this.#unfinished(), user])]));
      return { keys, events: insertEvents(db, [{ type: 'user.erased', time, user, data: { keys } }]) };
    });
    return { ...done, unreached: this.#finishErasing() };
  }

  /** Ends what a gateway that was killed had begun: copies half made, keys not yet destroyed everywhere. */
  resume(): void {
    const { data, ground } = this.#parts;
    if (data === undefined) return;
    const { files } = ground;
    for (const name of files.readdirSync(data).filter((one) => /^backup-[A-Za-z0-9]{6}$/.test(one)))
      files.rmSync(join(data, name), { recursive: true, force: true });
    if (this.#unfinished().length > 0) this.#finishErasing();
  }

  /** @returns where keys could not be destroyed; it is tried again when the gateway starts */
  #finishErasing(): string[] {
    const { db, data, ground } = this.#parts;
    db.forgetLog();
    const users = this.#unfinished();
    const aside = data === undefined ? [] : users.flatMap((user) => eraseAside(ground, data, user));
    const unreached = [...this.renewKeys(), ...new Set(aside)];
    if (unreached.length === 0) putNote(db, UNFINISHED_NOTE, undefined);
    return unreached;
  }

  #unfinished(): number[] {
    const held = note(this.#parts.db, UNFINISHED_NOTE);
    return held === undefined ? [] : z.array(z.int()).parse(JSON.parse(held));
  }

  /**
   * Brings the data keys beside all backups to what they are now.
   * @returns directories that could not be written
   */
  renewKeys(): string[] {
    return this.#places().filter((place) => {
      try {
        this.#writeKeys(place);
        return false;
      } catch {
        return true;
      }
    });
  }

  /** Whether a backup was ever made, or begun: it needs the data keys of then. */
  get mayExist(): boolean {
    return this.#places().length > 0;
  }

  #writeKeys(directory: string): void {
    const { db, keys, ground, ring } = this.#parts;
    // While the master key is being changed, the old one is what people have a copy of.
    const { number } = ring.oldest;
    const rows = db.all('SELECT * FROM keys').map((row) => keys.rewrapped(keyRow(row), number));
    const kept = { keys: rows, erased: erasedUnderWay(db) };
    writeKeysFile(ground.files, join(directory, keysFile(this.#id())), this.#id(), kept);
  }

  #id(): string {
    return note(this.#parts.db, STORE_NOTE) ?? '';
  }

  #places(): string[] {
    const held = note(this.#parts.db, PLACES_NOTE);
    return held === undefined ? [] : placesSchema.parse(JSON.parse(held));
  }

  /** Before the first byte is there: who is erased is erased from what lies in all these places. */
  async #remember(place: string): Promise<void> {
    const { db, random } = this.#parts;
    await db.write(() => {
      if (this.#id() === '') putNote(db, STORE_NOTE, Buffer.from(random(8)).toString('hex'));
      const places = new Set([...this.#places(), place]);
      putNote(db, PLACES_NOTE, JSON.stringify([...places]));
    });
  }
}

/** An empty file that only its owner may read. */
function makeOwn(files: Files, path: string): void {
  translatedFile(() => {
    files.rmSync(path, { force: true });
    files.closeSync(files.openSync(path, 'wx', 0o600));
  });
}

/** @throws WhorlError BACKUP_BAD */
function inThread(copy: SealedCopy): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./backup-worker.ts', import.meta.url), { workerData: copy });
    worker.once('error', (cause) => {
      reject(new WhorlError('BACKUP_BAD', describe(cause), { cause }));
    });
    worker.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new WhorlError('BACKUP_BAD', `the thread that makes it ended with ${code}`));
    });
  });
}
