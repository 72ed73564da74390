import { readRecord, writeRecord } from '@whorl/protocol';
import type { Sqlite } from '../sqlite.ts';
import type { UserFilter } from '../filters.ts';
import type { StoredUser, UserSummary } from '../store.ts';
import type { Keys } from '../keys.ts';
import { bytes, number, provenanceOf, provenanceText, userSummary } from './rows.ts';
import { shownGroups, shownName } from './shown.ts';
import { readFormer, writeFormer } from './former.ts';
import { LIMIT, where } from './where.ts';

/** What a change needs to know of a user without unsealing it. */
interface Held {
  readonly version: number;
  /** Id of its data key. */
  readonly key: Uint8Array;
}

/** Who is given a new data key next. */
export interface NextToRenew {
  /** The last that has one. */
  readonly after: number;
  readonly most: number;
  readonly keeps: boolean;
}

/** @throws WhorlError VAULT_SEALED */
export function readUser(db: Sqlite, keys: Keys, id: number): StoredUser | undefined {
  const row = db.get(
    'SELECT version, provenance, key, sealed, former FROM users JOIN records ON user = id WHERE id = ?',
    id,
  );
  if (row === undefined) return undefined;
  const version = number(row, 'version');
  const key = keys.key(bytes(row, 'key'), id);
  const record = readRecord(keys.open(key, version, bytes(row, 'sealed')));
  const user = { record, version, provenance: provenanceOf(row) };
  if (row['former'] === null) return user;
  return { ...user, former: readFormer(keys.open(key, `${version} former`, bytes(row, 'former'))) };
}

/** Brings what may be listed of a user back in line with the record. */
export function showUser(db: Sqlite, id: number, user: StoredUser | undefined): void {
  if (user === undefined) return;
  const { record } = user;
  const groups = JSON.stringify(shownGroups(record));
  db.put('UPDATE users SET name = ?, groups = ? WHERE id = ?', shownName(record), groups, id);
}

export function heldUser(db: Sqlite, id: number): Held | undefined {
  const row = db.get('SELECT version, key FROM users JOIN records ON user = id WHERE id = ?', id);
  return row === undefined ? undefined : { version: number(row, 'version'), key: bytes(row, 'key') };
}

export function hasUser(db: Sqlite, id: number): boolean {
  return db.get('SELECT 1 FROM users WHERE id = ?', id) !== undefined;
}

/** @param held id of the user's data key; `undefined` makes one */
export function putUser(
  db: Sqlite,
  keys: Keys,
  user: { readonly id: number; readonly next: StoredUser; readonly changed: number },
  held: Uint8Array | undefined,
): void {
  const { id, next, changed } = user;
  const key = held === undefined ? keys.newKey(id) : keys.key(held, id);
  db.put(
    `INSERT INTO users (id, version, name, groups, fields, changed) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, name = excluded.name, groups = excluded.groups,
       fields = excluded.fields, changed = excluded.changed`,
    id,
    next.version,
    shownName(next.record),
    JSON.stringify(shownGroups(next.record)),
    JSON.stringify([...next.record.fields.keys()]),
    changed,
  );
  db.put(
    `INSERT INTO records (user, provenance, key, sealed, former) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (user) DO UPDATE SET provenance = excluded.provenance, sealed = excluded.sealed,
       former = excluded.former`,
    id,
    provenanceText(next.provenance),
    key.id,
    keys.seal(key, next.version, writeRecord(next.record)),
    next.former === undefined || next.former.size === 0
      ? null
      : keys.seal(key, `${next.version} former`, writeFormer(id, next.former)),
  );
}

/** @returns users with higher numbers than this */
export function usersToRenew(db: Sqlite, after: number): number {
  return number(db.get('SELECT count(*) AS count FROM records WHERE user > ?', after) ?? {}, 'count');
}

/**
 * Seals the next users anew, each under a data key made for that.
 * @param next.keeps the data keys of before
 * @returns who, by ascending number
 * @throws WhorlError VAULT_SEALED
 */
export function renewUserKey(db: Sqlite, keys: Keys, next: NextToRenew): number[] {
  const rows = db.all(
    `SELECT user, version, key, sealed, former FROM records JOIN users ON user = id WHERE user > ?
     ORDER BY user ${LIMIT}`,
    next.after,
    next.most,
  );
  return rows.map((row) => {
    const [id, version, held] = [number(row, 'user'), number(row, 'version'), bytes(row, 'key')];
    const [old, key] = [keys.key(held, id), keys.newKey(id)];
    const anew = (place: number | string, sealed: Uint8Array): Uint8Array =>
      keys.seal(key, place, keys.open(old, place, sealed));
    const former = row['former'] === null ? null : anew(`${version} former`, bytes(row, 'former'));
    db.put(
      'UPDATE records SET key = ?, sealed = ?, former = ? WHERE user = ?',
      ...([key.id, anew(version, bytes(row, 'sealed')), former, id] as const),
    );
    if (!next.keeps) db.put('DELETE FROM keys WHERE id = ?', held);
    return id;
  });
}

/** Its record and its data key go with it. */
export function deleteUser(db: Sqlite, id: number): void {
  db.put('DELETE FROM users WHERE id = ?', id);
}

/** Ids that are taken here, or that something at a terminal is known under. */
const TAKEN = `SELECT id FROM users UNION SELECT user FROM ledger UNION SELECT user FROM pulls
  UNION SELECT user FROM conflicts UNION SELECT new_user FROM conflicts WHERE new_user IS NOT NULL`;
const HIGHEST = 0xffff_ffff;

/** The id after the highest that is taken, else the lowest that is not. */
export function freeUser(db: Sqlite): number {
  const highest = number(db.get(`SELECT coalesce(max(id), 0) AS id FROM (${TAKEN}) AS taken`) ?? {}, 'id');
  if (highest < HIGHEST) return highest + 1;
  const gap = db.get(
    `WITH taken AS (${TAKEN}) SELECT min(id) + 1 AS id FROM (SELECT 0 AS id UNION SELECT id FROM taken) AS ids
     WHERE id + 1 NOT IN (SELECT id FROM taken)`,
  );
  return number(gap ?? {}, 'id');
}

export function countUsers(db: Sqlite): number {
  return number(db.get('SELECT count(*) AS count FROM users') ?? {}, 'count');
}

export function listUsers(db: Sqlite, filter: UserFilter): readonly UserSummary[] {
  const name = filter.name === undefined ? undefined : `%${filter.name.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const { sql, values } = where([
    ['id > ?', filter.after],
    ["name LIKE ? ESCAPE '\\'", name],
    ['EXISTS (SELECT 1 FROM json_each(users.groups) AS held WHERE held.value = ?)', filter.group],
  ]);
  return db.all(`SELECT * FROM users ${sql} ORDER BY id ${LIMIT}`, ...values, filter.limit).map(userSummary);
}
