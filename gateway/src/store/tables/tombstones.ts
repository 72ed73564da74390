import { credentialOf, fieldDigest, FIELDS } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { Keys } from '../keys.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import type { StoredUser } from '../store.ts';
import { MOST_TOMBSTONES, TOMBSTONE_DAYS } from '../tombstones.ts';
import type { Tombstone, TombstoneStore } from '../tombstones.ts';
import { bytes, number, text } from './rows.ts';

/** Of each hash: among the few that are compared, none is alike by chance. */
const MARK_BYTES = 8;
const DAY_MS = 86_400_000;

/**
 * Remembers somebody who is deleted; to be called while the record can still be read.
 * @param given what of it is somebody else's, who has the number from now on
 */
export function bury(
  db: Sqlite,
  keys: Keys,
  { user, time, by, how }: Omit<Tombstone, 'sure'>,
  held?: StoredUser,
  given?: UserRecord,
): void {
  if (held === undefined && how === 'erased' && isBuried(db, user)) return;
  const former = [...(held?.former ?? [])].filter(([field]) => tellsWho(field));
  const digests = [
    ...digestsOf(held?.record),
    ...former.flatMap(([, values]) => values.map(({ digest }) => digest)),
  ];
  const others = new Set(given === undefined ? [] : markTexts(keys, given));
  const marks = marksOf(keys, digests).filter((mark) => !others.has(mark.toString('hex')));
  db.put(
    'INSERT INTO tombstones (user, time, deleted_by, how, marks) VALUES (?, ?, ?, ?, ?)',
    ...([user, time, by, how, Buffer.concat(marks)] as const),
  );
  db.put('DELETE FROM tombstones WHERE time < ?', time - TOMBSTONE_DAYS * DAY_MS);
  db.put('DELETE FROM tombstones WHERE id <= (SELECT max(id) FROM tombstones) - ?', MOST_TOMBSTONES);
}

/** Somebody who is erased after they were deleted. */
function isBuried(db: Sqlite, user: number): boolean {
  const newest = '(SELECT max(id) FROM tombstones WHERE user = ?)';
  return db.run(`UPDATE tombstones SET how = 'erased' WHERE id = ${newest}`, user) > 0;
}

/**
 * Somebody who was deleted is a user again, because somebody wants it so. Of whom only the number is known, it is not known
 * either that it is one of those who had it: these stay away. So does all of somebody erased that is not given anew.
 */
export function unbury(db: Sqlite, keys: Keys, record: UserRecord): void {
  const given = new Set(markTexts(keys, record));
  for (const row of rowsOf(db, keys, record)) {
    const { how, sure } = tombstone(row);
    const kept = split(bytes(row, 'marks'));
    const isForgotten = !sure || (given.size > 0 && how === 'deleted');
    const left = isForgotten ? [] : kept.filter((mark) => !given.has(mark));
    const id = number(row, 'id');
    if (left.length === 0) db.put('DELETE FROM tombstones WHERE id = ?', id);
    else db.put('UPDATE tombstones SET marks = ? WHERE id = ?', Buffer.from(left.join(''), 'hex'), id);
  }
}

export class TombstoneTable implements TombstoneStore {
  readonly #db: Sqlite;
  readonly #keys: Keys;

  constructor(db: Sqlite, keys: Keys) {
    this.#db = db;
    this.#keys = keys;
  }

  async of(users: readonly number[]): Promise<ReadonlyMap<number, Tombstone>> {
    const rows = this.#db.all(
      'SELECT * FROM tombstones WHERE user IN (SELECT value FROM json_each(?)) ORDER BY id',
      JSON.stringify(users),
    );
    return new Map(rows.map((row) => [number(row, 'user'), tombstone(row)]));
  }

  async whose(record: UserRecord): Promise<Tombstone | undefined> {
    const isTelling = [...record.fields.keys()].some(tellsWho);
    const found = rowsOf(this.#db, this.#keys, record)
      .map(tombstone)
      .map((one) => ({ ...one, sure: one.sure && isTelling }));
    return found.findLast(({ how }) => how === 'erased') ?? found.at(-1);
  }
}

/** Those that are of the person of this record, oldest first. */
function rowsOf(db: Sqlite, keys: Keys, record: UserRecord): readonly Row[] {
  const rows = db.all('SELECT * FROM tombstones WHERE user = ? ORDER BY id', record.id);
  if (rows.length === 0) return [];
  const marks = new Set(markTexts(keys, record));
  return rows.filter((row) => {
    const kept = split(bytes(row, 'marks'));
    // Somebody without name and credentials cannot be told from anybody, and nothing is lost with them.
    return kept.length === 0 || marks.size === 0 || kept.some((mark) => marks.has(mark));
  });
}

function tellsWho(field: number): boolean {
  return field === FIELDS.name.number || field === FIELDS.photo.number || credentialOf(field) !== undefined;
}

function digestsOf(record: UserRecord | undefined): Uint8Array[] {
  return [...(record?.fields ?? [])]
    .filter(([field]) => tellsWho(field))
    .map(([field, value]) => fieldDigest(field, value));
}

function marksOf(keys: Keys, digests: readonly Uint8Array[]): Buffer[] {
  return keys.marks(digests).map((mark) => Buffer.from(mark.subarray(0, MARK_BYTES)));
}

function markTexts(keys: Keys, record: UserRecord): string[] {
  return marksOf(keys, digestsOf(record)).map((mark) => mark.toString('hex'));
}

function split(marks: Uint8Array): string[] {
  const hex = Buffer.from(marks).toString('hex');
  return hex.match(new RegExp(`.{${2 * MARK_BYTES}}`, 'g')) ?? [];
}

function tombstone(row: Row): Tombstone {
  const how = text(row, 'how') === 'erased' ? 'erased' : 'deleted';
  return {
    user: number(row, 'user'),
    time: number(row, 'time'),
    by: text(row, 'deleted_by'),
    how,
    sure: bytes(row, 'marks').length > 0,
  };
}
