import type { NewEvent, StoredEvent } from '../../events/catalogue.ts';
import type { Sqlite } from '../sqlite.ts';
import type { EventFilter } from '../filters.ts';
import { number, storedEvent } from './rows.ts';
import { LIMIT, where } from './where.ts';

const INSERT = `INSERT INTO events (time, type, line, terminal, user, origin, data, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (source) WHERE source IS NOT NULL DO NOTHING`;

/** @returns those that were new, with their ids */
export function insertEvents(db: Sqlite, events: readonly NewEvent[]): StoredEvent[] {
  const stored: StoredEvent[] = [];
  for (const event of events) {
    const values = [
      event.time,
      event.type,
      event.line ?? null,
      event.terminal ?? null,
      event.user ?? null,
      event.origin ?? null,
      JSON.stringify(event.data),
      event.source ?? null,
    ] as const;
    // Only of what has a source there may be one already.
    if (event.source === undefined) db.put(INSERT, ...values);
    else if (db.run(INSERT, ...values) === 0) continue;
    // Asked for apart, as RETURNING costs more than the insertion.
    stored.push({ ...event, id: number(db.get('SELECT last_insert_rowid() AS id') ?? {}, 'id') });
  }
  return stored;
}

export function listEvents(db: Sqlite, filter: EventFilter): readonly StoredEvent[] {
  const { sql, values } = where([
    ['id > ?', filter.after],
    ['id <= ?', filter.upTo],
    ['type = ?', filter.type],
    ['terminal = ?', filter.terminal],
    ['user = ?', filter.user],
  ]);
  const order = filter.newest === true ? 'DESC' : 'ASC';
  const rows = db.all(`SELECT * FROM events ${sql} ORDER BY id ${order} ${LIMIT}`, ...values, filter.limit);
  const events = rows.map(storedEvent);
  return filter.newest === true ? events.reverse() : events;
}
