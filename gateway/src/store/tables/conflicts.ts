import { DECIDED_DAYS, MOST_DECIDED } from '../conflict-kinds.ts';
import type { ConflictKind, ConflictState } from '../conflict-kinds.ts';
import { readRecord, writeRecord } from '@whorl/protocol';
import { z } from 'zod';
import type { StoredEvent } from '../../events/catalogue.ts';
import type { Sqlite } from '../sqlite.ts';
import type {
  Conflict,
  ConflictFilter,
  ConflictSide,
  ConflictSummary,
  ConflictWrite,
  Provenance,
} from '../store.ts';
import type { Row } from '../sqlite.ts';
import type { Keys } from '../keys.ts';
import { insertEvents } from './events.ts';
import { bytes, number, text } from './rows.ts';
import type { NextToRenew } from './users.ts';
import { LIMIT, where } from './where.ts';

// Each conflict is sealed under a data key of its own: a person who is held apart is not the user whose id it is.

const writer = z.strictObject({
  origin: z.enum(['terminal', 'gateway']),
  terminal: z.string().exactOptional(),
  time: z.int(),
  log: z.int().exactOptional(),
  found: z.literal(true).exactOptional(),
  task: z.int().exactOptional(),
  operator: z.int().exactOptional(),
  since: z.int().exactOptional(),
} satisfies Record<keyof Provenance, z.ZodType>);
const provenance = z.array(z.tuple([z.int(), writer]));
const side = z.strictObject({ record: z.base64(), provenance });
const contents = z.strictObject({
  reasons: z.array(z.int()),
  ours: side,
  theirs: side,
  before: side.exactOptional(),
  handed: z.int().exactOptional(),
});

const DAY_MS = 86_400_000;

/** Whether every conflict is in the state that its change was computed from. */
export function conflictsStand(db: Sqlite, writes: readonly ConflictWrite[]): boolean {
  return writes.every(({ id, from }) => {
    if (id === undefined || from === undefined) return true;
    const row = db.get('SELECT state FROM conflicts WHERE id = ?', id);
    return row !== undefined && text(row, 'state') === from;
  });
}

/** @returns the events stored */
export function putConflict(db: Sqlite, keys: Keys, write: ConflictWrite): readonly StoredEvent[] {
  const id = write.id ?? insert(db, keys, write.conflict);
  if (write.id !== undefined) update(db, keys, write.id, write.conflict);
  if (write.event === undefined) return [];
  return insertEvents(db, [
    { ...write.event, data: { ...write.event.data, conflict: id } } as typeof write.event,
  ]);
}

/** @returns conflicts with higher ids than this */
export function conflictsToRenew(db: Sqlite, after: number): number {
  return number(db.get('SELECT count(*) AS count FROM conflicts WHERE id > ?', after) ?? {}, 'count');
}

/** As `renewUserKey`, of people who are held apart. @returns ids, ascending */
export function renewConflictKey(db: Sqlite, keys: Keys, next: NextToRenew): number[] {
  const sql = `SELECT id, user, key, sealed FROM conflicts WHERE id > ? ORDER BY id ${LIMIT}`;
  return db.all(sql, next.after, next.most).map((row) => {
    const [id, user, held] = [number(row, 'id'), number(row, 'user'), bytes(row, 'key')];
    const key = keys.newKey(user);
    const sealed = keys.seal(key, PLACE, keys.open(keys.key(held, user), PLACE, bytes(row, 'sealed')));
    db.put('UPDATE conflicts SET key = ?, sealed = ? WHERE id = ?', key.id, sealed, id);
    if (!next.keeps) db.put('DELETE FROM keys WHERE id = ?', held);
    return id;
  });
}

function insert(db: Sqlite, keys: Keys, conflict: Omit<Conflict, 'id'>): number {
  const key = keys.newKey(conflict.user);
  const row = db.get(
    `INSERT INTO conflicts (user, kind, field, terminal, state, opened, closed, made, new_user, key, sealed)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    conflict.user,
    conflict.kind,
    conflict.field ?? null,
    conflict.terminal,
    conflict.state,
    conflict.opened,
    conflict.closed ?? null,
    conflict.made ?? null,
    conflict.newUser ?? null,
    key.id,
    keys.seal(key, PLACE, packed(conflict)),
  );
  return number(row ?? {}, 'id');
}

function update(db: Sqlite, keys: Keys, id: number, conflict: Omit<Conflict, 'id'>): void {
  const row = db.get('SELECT key FROM conflicts WHERE id = ?', id);
  if (row === undefined) return;
  db.put(
    `UPDATE conflicts SET state = ?, opened = ?, closed = ?, made = ?, new_user = ?, sealed = ? WHERE id = ?`,
    conflict.state,
    conflict.opened,
    conflict.closed ?? null,
    conflict.made ?? null,
    conflict.newUser ?? null,
    keys.seal(keys.key(bytes(row, 'key'), conflict.user), PLACE, packed(conflict)),
    id,
  );
}

/** After decisions: drops what was decided so long ago, or so many decisions ago, that it is kept no longer. */
export function forgetDecided(db: Sqlite, writes: readonly ConflictWrite[]): void {
  const now = Math.max(0, ...writes.map((write) => write.conflict.closed ?? 0));
  if (now === 0) return;
  db.put("DELETE FROM conflicts WHERE state <> 'open' AND closed < ?", now - DECIDED_DAYS * DAY_MS);
  db.put(
    `DELETE FROM conflicts WHERE state <> 'open' AND (closed, id) <= (
       SELECT closed, id FROM conflicts WHERE state <> 'open' ORDER BY closed DESC, id DESC LIMIT 1 OFFSET ?)`,
    MOST_DECIDED,
  );
}

export function conflict(db: Sqlite, keys: Keys, id: number): Conflict | undefined {
  const row = db.get('SELECT * FROM conflicts WHERE id = ?', id);
  return row === undefined ? undefined : opened(keys, row);
}

export function conflictsOf(db: Sqlite, keys: Keys, user: number): readonly Conflict[] {
  return db.all('SELECT * FROM conflicts WHERE user = ? ORDER BY id', user).map((row) => opened(keys, row));
}

export function listConflicts(db: Sqlite, filter: ConflictFilter): readonly ConflictSummary[] {
  const { sql, values } = where([
    ['id > ?', filter.after],
    ['user = ?', filter.user],
    ['terminal = ?', filter.terminal],
    ['kind = ?', filter.kind],
    ['state = ?', filter.state],
  ]);
  return db.all(`SELECT * FROM conflicts ${sql} ORDER BY id ${LIMIT}`, ...values, filter.limit).map(summary);
}

export function countConflicts(db: Sqlite): number {
  return number(db.get("SELECT count(*) AS count FROM conflicts WHERE state = 'open'") ?? {}, 'count');
}

/**
 * Of a user who is deleted; somebody else who waits under that id stays.
 * @param kept ids of those that stay, too
 */
export function deleteConflicts(db: Sqlite, user: number, kept: readonly number[]): void {
  db.put(
    `DELETE FROM conflicts WHERE user = ? AND NOT (kind = 'two-people' AND state = 'open')
       AND id NOT IN (SELECT value FROM json_each(?))`,
    user,
    JSON.stringify(kept),
  );
}

/** The key is the conflict's own, and the user stands in it: nothing else can be taken for these bytes. */
const PLACE = 'conflict';

function packed({ reasons, ours, theirs, before, handed }: Omit<Conflict, 'id'>): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      reasons: [...reasons],
      ours: packedSide(ours),
      theirs: packedSide(theirs),
      ...(before === undefined ? {} : { before: packedSide(before) }),
      ...(handed === undefined ? {} : { handed }),
    } satisfies z.input<typeof contents>),
  );
}

function packedSide({ record, provenance: by }: ConflictSide): z.input<typeof side> {
  return { record: Buffer.from(writeRecord(record)).toString('base64'), provenance: [...by] };
}

function opened(keys: Keys, row: Row): Conflict {
  const sealed = keys.open(keys.key(bytes(row, 'key'), number(row, 'user')), PLACE, bytes(row, 'sealed'));
  const { reasons, ours, theirs, before, handed } = contents.parse(
    JSON.parse(Buffer.from(sealed).toString('utf8')),
  );
  return {
    ...summary(row),
    reasons,
    ours: openedSide(ours),
    theirs: openedSide(theirs),
    ...(before === undefined ? {} : { before: openedSide(before) }),
    ...(handed === undefined ? {} : { handed }),
  };
}

function openedSide({ record, provenance: by }: z.output<typeof side>): ConflictSide {
  return { record: readRecord(Uint8Array.from(Buffer.from(record, 'base64'))), provenance: new Map(by) };
}

function summary(row: Row): ConflictSummary {
  return {
    id: number(row, 'id'),
    user: number(row, 'user'),
    kind: text(row, 'kind') as ConflictKind,
    terminal: text(row, 'terminal'),
    state: text(row, 'state') as ConflictState,
    opened: number(row, 'opened'),
    ...(row['field'] === null ? {} : { field: number(row, 'field') }),
    ...(row['closed'] === null ? {} : { closed: number(row, 'closed') }),
    ...(row['made'] === null ? {} : { made: number(row, 'made') }),
    ...(row['new_user'] === null ? {} : { newUser: number(row, 'new_user') }),
  };
}
