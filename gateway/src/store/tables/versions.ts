import type { Sqlite } from '../sqlite.ts';
import type { VersionStore } from '../versions.ts';
import { number } from './rows.ts';

export class VersionTable implements VersionStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  async of(users: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = this.#db.all(
      'SELECT id, version FROM users WHERE id IN (SELECT value FROM json_each(?))',
      JSON.stringify(users),
    );
    return new Map(rows.map((row) => [number(row, 'id'), number(row, 'version')]));
  }
}
