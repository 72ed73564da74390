import type { PartialStore } from '../partials.ts';
import type { Sqlite } from '../sqlite.ts';
import type { Keys } from '../keys.ts';
import { bytes } from './rows.ts';

/** Sealed like users are: there are templates in it. */
export class PartialTable implements PartialStore {
  readonly #db: Sqlite;
  readonly #keys: Keys;

  constructor(db: Sqlite, keys: Keys) {
    this.#db = db;
    this.#keys = keys;
  }

  async get(terminal: string): Promise<Uint8Array | undefined> {
    const [row] = this.#db.all('SELECT sealed FROM partials WHERE terminal = ?', terminal);
    return row === undefined ? undefined : this.#keys.openSecret(place(terminal), bytes(row, 'sealed'));
  }

  async put(terminal: string, clear: Uint8Array | undefined): Promise<void> {
    await this.#db.write(() => {
      if (clear === undefined) this.#db.run('DELETE FROM partials WHERE terminal = ?', terminal);
      else
        this.#db.run(
          `INSERT INTO partials (terminal, sealed) VALUES (?, ?)
           ON CONFLICT (terminal) DO UPDATE SET sealed = excluded.sealed`,
          terminal,
          this.#keys.sealSecret(place(terminal), clear),
        );
    });
  }
}

function place(terminal: string): string {
  return `partial ${terminal}`;
}
