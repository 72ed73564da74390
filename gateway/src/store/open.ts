import { join } from 'node:path';
import { WhorlError } from '@whorl/protocol';
import type { DatabaseConfig } from '../settings/database.ts';
import { GATEWAY, Keys, KeyTable, OWN_KEY } from './keys.ts';
import { Backups } from './backups.ts';
import { makeDirectory } from './durable.ts';
import { machine } from './ground.ts';
import type { Files, Ground } from './ground.ts';
import { MasterPlaces } from './master-key.ts';
import type { Environment } from './master-key.ts';
import { RoleStore } from './members.ts';
import { migrate } from './migrations.ts';
import { PostgresConnection } from './postgres/connection.ts';
import { migratePostgres } from './postgres/schema.ts';
import { serverSettings } from './postgres/settings.ts';
import { pooledRandom } from './random.ts';
import { Ring, unlock } from './ring.ts';
import { Rotation } from './rotation.ts';
import { Spill, SPILL_BYTES } from './tables/spill.ts';
import { SpillFile } from './spill-file.ts';
import { translatedFile } from './sqlite-errors.ts';
import { SqliteStore } from './sqlite-store.ts';
import { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';
import { putMaster, fitOf } from './tables/masters.ts';
import { KEY_BYTES, Vault } from './vault.ts';
import type { RandomBytes } from './vault.ts';

/** Where a gateway's memory lives. */
export interface StoreOptions {
  /** The data directory, made when it is not there; or `memory`, for simulation: nothing outlives the process. */
  readonly data: string | { readonly memory: true };
  /** What the data directory lies on; this machine unless it says. */
  readonly ground?: Ground;
  /** A server that keeps the tables; by default they are in a file of the data directory. */
  readonly database?: DatabaseConfig | undefined;
  /** Begins with an empty database although this directory had one. */
  readonly fresh?: boolean | undefined;
  /** Where master keys may be given; by default the process's own. */
  readonly environment?: Environment;
}

export const DATABASE = 'whorl.db';
/** Events that wait for the database. */
export const SPILL = 'whorl.db.spill';

/**
 * Opens (or makes) the database `whorl.db` and its master key `master.key` in the data directory, in this thread.
 * @param random makes keys and nonces
 * @throws WhorlError STORE_*, VAULT_*; STORE_VANISHED when the directory shows that it had a database, and there is none
 */
export function openStore(
  { data, environment, ground = machine, database, fresh = false }: StoreOptions,
  random: RandomBytes = pooledRandom(),
): Store {
  if (typeof data !== 'string') return storeInMemory(ground, random);
  const places = new MasterPlaces(data, environment, ground.files);
  const told = new Set<() => void>();
  const begins = (): void => {
    if (!fresh) notVanished({ data, place: database?.url ?? join(data, DATABASE), places, ground });
  };
  if (database === undefined && !ground.files.existsSync(join(data, DATABASE))) begins();
  const db =
    database === undefined
      ? inFile(data, ground)
      : onServer({ data, database, ground }, () => {
          for (const one of told) one();
        });
  try {
    const opened = (): Store => {
      const ring = translatedFile(() => unlock(db, places, random, begins));
      return storeOn({ db, ring, random, ground, told, disk: { data, places } });
    };
    return db.roles?.opening(opened) ?? opened();
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A site whose database is lost shall not go on as an empty one: that would be taken for everybody's removal. */
function notVanished({
  data,
  place,
  places,
  ground,
}: {
  readonly data: string;
  readonly place: string;
  readonly places: MasterPlaces;
  readonly ground: Ground;
}): void {
  const left = [places.file, join(data, SPILL)].find((path) => ground.files.existsSync(path));
  if (left !== undefined)
    throw new WhorlError('STORE_VANISHED', `${place} is missing or empty, but ${left} is there`);
}

function storeInMemory(ground: Ground, random: RandomBytes): Store {
  const db = new Sqlite(':memory:', (raw) => migrate(raw), ground);
  const key = random(KEY_BYTES);
  const vault = new Vault(key, random);
  const ring = new Ring();
  ring.add({ number: 1, key, vault, place: { kind: 'memory', name: '', next: false } });
  putMaster(db, { number: 1, fit: fitOf(vault) });
  return storeOn({ db, ring, random, ground, disk: undefined, told: new Set() });
}

function storeOn(parts: {
  readonly db: Sqlite;
  /** Are called when another process has written something. */
  readonly told: Set<() => void>;
  readonly ring: Ring;
  readonly random: RandomBytes;
  readonly ground: Ground;
  readonly disk: { readonly data: string; readonly places: MasterPlaces } | undefined;
}): Store {
  const { db, ring, disk, told } = parts;
  const table = new KeyTable(db);
  const keys = new Keys(table, ring.vaults, parts.random);
  if (table.key(OWN_KEY) === undefined) keys.newKey(GATEWAY);
  const backups = new Backups({
    ...{ ...parts, keys, data: disk?.data },
    made: () => {
      vault.backedUp();
    },
  });
  const vault = new Rotation({ ...parts, keys, backups });
  const resume = (): void => {
    backups.resume();
    vault.resume();
  };
  const members = new RoleStore(db.roles, told, resume);
  if (db.roles?.takeHouse() !== false) resume();
  const file =
    disk === undefined ? undefined : new SpillFile(parts.ground.files, join(disk.data, SPILL), SPILL_BYTES);
  const spill = new Spill(db, file, parts.random);
  return new SqliteStore(db, keys, { backups, vault, spill, members });
}

function inFile(data: string, ground: Ground): Sqlite {
  const path = join(data, DATABASE);
  makePrivate(ground.files, data, path);
  return new Sqlite(path, (raw) => migrate(raw), ground);
}

function onServer(
  { data, database, ground }: { data: string; database: DatabaseConfig; ground: Ground },
  told: () => void,
): Sqlite {
  translatedFile(() => {
    makeDirectory(ground.files, data);
  });
  const settings = serverSettings(database);
  const connect = () => new PostgresConnection(settings, told);
  return new Sqlite(database.url, (raw) => migratePostgres(raw, settings.schema), { ...ground, connect });
}

/** Names are in clear in the database: SQLite gives its other files the permissions of this one. */
function makePrivate(files: Files, directory: string, path: string): void {
  translatedFile(() => {
    makeDirectory(files, directory);
    files.closeSync(files.openSync(path, 'a', 0o600));
  });
}
