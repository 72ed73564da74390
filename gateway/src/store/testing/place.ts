import { hash } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import type { DatabaseConfig } from '../../settings/database.ts';
import { machine } from '../ground.ts';
import type { Connection } from '../ground.ts';
import { DATABASE } from '../open.ts';
import { PostgresConnection } from '../postgres/connection.ts';
import { serverSettings } from '../postgres/settings.ts';

/** Names the server that a run of tests puts its databases on, for processes that tests start, too. */
const SERVER = 'WHORL_TEST_SERVER';

export function useServer(server: Pick<DatabaseConfig, 'url' | 'passwordFile'>): void {
  process.env[SERVER] = JSON.stringify(server);
}

/** Where the tables of a data directory are in this run: `undefined` for in its file, else in a schema of their own. */
export function databaseOf(data: string): DatabaseConfig | undefined {
  const server = process.env[SERVER];
  if (server === undefined) return undefined;
  const { url, passwordFile } = JSON.parse(server) as Pick<DatabaseConfig, 'url' | 'passwordFile'>;
  return { url, passwordFile, schema: `t_${hash('sha256', data, 'hex').slice(0, 24)}` };
}

/** The tables of a data directory whose store is closed, for whoever looks or changes there what no store does. */
export function rawDatabase(data: string): Connection {
  const database = databaseOf(data);
  return database === undefined
    ? machine.connect(join(data, DATABASE))
    : new PostgresConnection(serverSettings(database));
}
