import { statSync } from 'node:fs';
import { join } from 'node:path';
import { WhorlError } from '@whorl/protocol';
import { alone } from '../settings/database.ts';
import type { DatabaseConfig } from '../settings/database.ts';
import { tablesOf } from './copy.ts';
import { machine } from './ground.ts';
import type { Connection } from './ground.ts';
import { migrate, MIGRATIONS } from './migrations.ts';
import { DATABASE } from './open.ts';
import { sumOf } from './postgres/copied-rows.ts';
import { PostgresConnection } from './postgres/connection.ts';
import { migratePostgres, MIGRATIONS as POSTGRES } from './postgres/schema.ts';
import { serverSettings } from './postgres/settings.ts';
import { translated } from './sqlite-errors.ts';

export interface CheckReport {
  readonly place: string;
  /** Of the schema, after what this release brings. */
  readonly version: number;
  /** `digest` is the same for the same rows, in a file or on a server. */
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly digest: string }[];
  readonly sound: boolean;
  /** Of an SQLite file. */
  readonly bytes?: number;
}

/**
 * Brings a database to this release's schema and looks whether it is sound.
 * @throws WhorlError STORE_*; STORE_BUSY while a gateway works on it
 */
export function checkDatabase(data: string, database: DatabaseConfig | undefined): CheckReport {
  const shape = machine.connect(':memory:');
  migrate(shape);
  const count = (db: Connection): CheckReport['tables'] =>
    tablesOf(shape).map((table) => ({ name: table.name, ...sumOf(db, table) }));
  try {
    return database === undefined ? checkFile(join(data, DATABASE), count) : checkServer(database, count);
  } finally {
    shape.close();
  }
}

function checkFile(path: string, count: (db: Connection) => CheckReport['tables']): CheckReport {
  return translated(path, () => {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size;
    if (bytes === undefined) throw new WhorlError('STORE_MISSING', path);
    const db = machine.connect(path);
    try {
      migrate(db);
      const [found] = Object.values(db.prepare('PRAGMA integrity_check').get() ?? {});
      const dangling = db.prepare('PRAGMA foreign_key_check').get();
      const sound = found === 'ok' && dangling === undefined;
      return { place: path, version: MIGRATIONS.length, tables: count(db), sound, bytes };
    } finally {
      db.close();
    }
  });
}

function checkServer(config: DatabaseConfig, count: (db: Connection) => CheckReport['tables']): CheckReport {
  const settings = serverSettings(alone(config));
  const db = new PostgresConnection(settings);
  try {
    migratePostgres(db, settings.schema);
    return { place: config.url, version: POSTGRES.length, tables: count(db), sound: true };
  } finally {
    db.close();
  }
}
