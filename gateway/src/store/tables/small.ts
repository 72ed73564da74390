import type { Doubt } from '../../events/catalogue.ts';
import { runtimeSettingsSchema } from '../../settings/runtime.ts';
import type { RuntimeSettings } from '../../settings/runtime.ts';
import type { Keys } from '../keys.ts';
import type { Sqlite } from '../sqlite.ts';
import type { TerminalRow } from '../store.ts';
import { number, text } from './rows.ts';

// Tables of a few rows: settings, notes, terminals.

const settingsSchema = runtimeSettingsSchema.partial().strip();

/** What an earlier or later release stored and this one does not know, or would not allow, has its default. */
export function settings(db: Sqlite): Partial<RuntimeSettings> {
  const known: Partial<RuntimeSettings> = {};
  for (const row of db.all('SELECT key, value FROM settings')) {
    const parsed = settingsSchema.safeParse({
      [text(row, 'key')]: JSON.parse(text(row, 'value')) as unknown,
    });
    if (parsed.success) Object.assign(known, parsed.data);
  }
  return known;
}

export function putSettings(db: Sqlite, changes: Partial<RuntimeSettings>): void {
  for (const [key, value] of Object.entries(changes)) {
    db.put(
      'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      key,
      JSON.stringify(value),
    );
  }
}

export function note(db: Sqlite, key: string): string | undefined {
  const row = db.get('SELECT value FROM notes WHERE key = ?', key);
  return row === undefined ? undefined : text(row, 'value');
}

/** @param value `undefined` removes the note */
export function putNote(db: Sqlite, key: string, value: string | undefined): void {
  if (value === undefined) db.put('DELETE FROM notes WHERE key = ?', key);
  else
    db.put(
      'INSERT INTO notes (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      key,
      value,
    );
}

/** A note that only who has the master key can read. @throws WhorlError VAULT_SEALED */
export function secretNote(db: Sqlite, keys: Keys, key: string): string | undefined {
  const held = note(db, key);
  if (held === undefined) return undefined;
  return Buffer.from(keys.openSecret(secretPlace(key), Buffer.from(held, 'base64'))).toString('utf8');
}

export function putSecretNote(db: Sqlite, keys: Keys, key: string, value: string): void {
  putNote(db, key, Buffer.from(keys.sealSecret(secretPlace(key), Buffer.from(value))).toString('base64'));
}

function secretPlace(key: string): string {
  return `note ${key}`;
}

export function terminals(db: Sqlite): readonly TerminalRow[] {
  return db.all('SELECT * FROM terminals ORDER BY name').map((row) => ({
    name: text(row, 'name'),
    serial: text(row, 'serial'),
    position: {
      ...{ epoch: number(row, 'epoch'), id: number(row, 'log') },
      ...(row['log_time'] === null ? {} : { time: number(row, 'log_time') }),
    },
    ...(row['doubt'] === null ? {} : { doubt: text(row, 'doubt') as Doubt }),
    ...(number(row, 'unseen') === 0 ? {} : { unseen: true as const }),
  }));
}

export function putTerminal(db: Sqlite, { name, serial, position, doubt }: TerminalRow): void {
  db.put(
    `INSERT INTO terminals (name, serial, epoch, log, log_time, doubt) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET serial = excluded.serial, epoch = excluded.epoch, log = excluded.log, log_time = excluded.log_time,
       doubt = excluded.doubt`,
    name,
    serial,
    position.epoch,
    position.id,
    position.time ?? null,
    doubt ?? null,
  );
}

export function endDoubt(db: Sqlite, terminal: string): void {
  db.put('UPDATE terminals SET doubt = NULL WHERE name = ?', terminal);
}

/** Whether the log of a terminal has still to show what was written to it. */
export function putUnseen(db: Sqlite, terminal: string, unseen: boolean): void {
  db.put('UPDATE terminals SET unseen = ?1 WHERE name = ?2 AND unseen <> ?1', unseen ? 1 : 0, terminal);
}
