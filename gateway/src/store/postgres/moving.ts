import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WhorlError } from '@whorl/protocol';
import { alone } from '../../settings/database.ts';
import type { DatabaseConfig } from '../../settings/database.ts';
import { copyRows, sqliteSide, tablesOf } from '../copy.ts';
import { machine } from '../ground.ts';
import { migrate } from '../migrations.ts';
import { DATABASE } from '../open.ts';
import { translated } from '../sqlite-errors.ts';
import { PostgresConnection, postgresSide } from './connection.ts';
import { migratePostgres } from './schema.ts';
import { serverSettings } from './settings.ts';

export interface MoveOptions {
  /** The data directory with the database that is copied. */
  readonly data: string;
  readonly database: DatabaseConfig;
  /** Whether what the server holds may be replaced: it is kept aside, in a schema of another name. */
  readonly replace: boolean;
  /** Milliseconds UTC. */
  readonly now: number;
  /** Rows copied so far. */
  readonly progress: (rows: number) => void;
}

export interface MoveReport {
  readonly rows: number;
  /** Schema of what was there before. */
  readonly aside?: string;
}

/**
 * Copies the database of a data directory onto a server, all of it or nothing; keys stay where they are.
 * @throws WhorlError STORE_*, DATABASE_REPLACES; STORE_BUSY while a gateway works on either
 */
export function moveToServer({ data, database, replace, now, progress }: MoveOptions): MoveReport {
  const path = join(data, DATABASE);
  if (!existsSync(path)) throw new WhorlError('STORE_MISSING', path);
  const settings = serverSettings(alone(database));
  const server = new PostgresConnection(settings);
  try {
    return translated(path, () => {
      const file = machine.connect(path);
      try {
        migrate(file);
        const aside = putAside(server, settings.schema, replace, now);
        migratePostgres(server, settings.schema);
        server.exec('BEGIN IMMEDIATE');
        copyRows(sqliteSide(file), postgresSide(server), file, progress);
        const rows = compared(server, file);
        server.exec('COMMIT');
        return { rows, ...(aside === undefined ? {} : { aside }) };
      } finally {
        file.close();
      }
    });
  } finally {
    server.close();
  }
}

/** @returns the name of the schema that what was there has now */
function putAside(
  server: PostgresConnection,
  schema: string,
  replace: boolean,
  now: number,
): string | undefined {
  const isThere = 'SELECT count(*) AS count FROM pg_tables WHERE schemaname = ? AND tablename = ?';
  if (server.prepare(isThere).get(schema, 'notes')?.['count'] === 0) return undefined;
  if (server.prepare('SELECT number FROM masters LIMIT 1').get() === undefined) {
    server.exec(`DROP SCHEMA "${schema}" CASCADE`);
    return undefined;
  }
  if (!replace) throw new WhorlError('DATABASE_REPLACES', `schema ${schema}`);
  const aside = `${schema.slice(0, 40)}_replaced_${now}`;
  server.exec(`ALTER SCHEMA "${schema}" RENAME TO "${aside}"`);
  return aside;
}

/** @returns how many rows there are. @throws Error when a table has not as many as the other */
function compared(server: PostgresConnection, file: ReturnType<typeof machine.connect>): number {
  let all = 0;
  for (const { name } of tablesOf(file)) {
    const [rows, there] = [file, server].map((db) =>
      Number(db.prepare(`SELECT count(*) AS count FROM ${name}`).get()?.['count']),
    );
    if (rows === undefined || rows !== there)
      throw new Error(`${name}: ${rows} rows, of which ${there} arrived`);
    all += rows;
  }
  return all;
}
