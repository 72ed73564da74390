import { ROLES } from '../../settings/roles.ts';
import type { Role } from '../../settings/roles.ts';
import type { AccessStore, Account, AccountSecret, TokenDigests, TokenRow } from '../access.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import type { Keys } from '../keys.ts';
import { bytes, number, text } from './rows.ts';

/** Accounts and tokens in SQLite. */
export class AccessTables implements AccessStore {
  readonly #db: Sqlite;
  readonly #keys: Keys;

  constructor(db: Sqlite, keys: Keys) {
    this.#db = db;
    this.#keys = keys;
  }

  async accounts(): Promise<readonly Account[]> {
    return this.#db.all('SELECT name, role, created, changed FROM accounts ORDER BY name').map(accountOf);
  }

  async account(name: string): Promise<AccountSecret | undefined> {
    const row = this.#db.get('SELECT * FROM accounts WHERE name = ?', name);
    if (row === undefined) return undefined;
    const account = accountOf(row);
    const password = this.#keys.openSecret(place(account), bytes(row, 'sealed'));
    return { ...account, password: Buffer.from(password).toString('utf8') };
  }

  saveAccount(account: AccountSecret, { revoke }: { readonly revoke: boolean }): Promise<void> {
    return this.#db.write(() => {
      this.#db.run(
        `INSERT INTO accounts (name, role, created, changed, sealed) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET role = excluded.role, changed = excluded.changed, sealed = excluded.sealed`,
        account.name,
        account.role,
        account.created,
        account.changed,
        this.#keys.sealSecret(place(account), Buffer.from(account.password)),
      );
      if (revoke) this.#db.run('DELETE FROM tokens WHERE account = ?', account.name);
    });
  }

  deleteAccount(name: string): Promise<boolean> {
    return this.#db.write(() => this.#db.run('DELETE FROM accounts WHERE name = ?', name) > 0);
  }

  async token(secret: Uint8Array): Promise<TokenRow | undefined> {
    const row = this.#db.get('SELECT * FROM tokens WHERE secret = ?', secret);
    return row === undefined ? undefined : tokenOf(row);
  }

  async session(refresh: Uint8Array): Promise<{ row: TokenRow; spent: boolean } | undefined> {
    const row = this.#db.get('SELECT * FROM tokens WHERE refresh = ? OR spent = ?', refresh, refresh);
    if (row === undefined) return undefined;
    return { row: tokenOf(row), spent: !Buffer.from(bytes(row, 'refresh')).equals(refresh) };
  }

  async tokens(): Promise<readonly TokenRow[]> {
    return this.#db.all('SELECT * FROM tokens ORDER BY created, id').map(tokenOf);
  }

  addToken(row: TokenRow, { secret, refresh }: TokenDigests): Promise<void> {
    return this.#db.write(() => {
      this.#db.run(
        `INSERT INTO tokens (id, account, kind, label, role, created, expires, ends, secret, refresh)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[row.id, row.account, row.kind, row.label, row.role, row.created, row.expires, row.ends],
        secret,
        refresh ?? null,
      );
    });
  }

  renewToken(
    { id, expires, ends }: { readonly id: string; readonly expires: number; readonly ends: number },
    refresh: Uint8Array,
    digests: Required<TokenDigests>,
  ): Promise<boolean> {
    return this.#db.write(
      () =>
        this.#db.run(
          `UPDATE tokens SET secret = ?, refresh = ?, spent = refresh, expires = ?, ends = ?
           WHERE id = ? AND refresh = ?`,
          digests.secret,
          digests.refresh,
          expires,
          ends,
          id,
          refresh,
        ) > 0,
    );
  }

  deleteToken(id: string): Promise<boolean> {
    return this.#db.write(() => this.#db.run('DELETE FROM tokens WHERE id = ?', id) > 0);
  }

  forgetTokens(now: number): Promise<void> {
    return this.#db.write(() => {
      this.#db.run('DELETE FROM tokens WHERE ends < ?', now);
    });
  }
}

/** The role is part of it: a role that was changed in the file makes the account unusable. */
function place({ name, role }: Account): string {
  return `account ${role} ${name}`;
}

function accountOf(row: Row): Account {
  return {
    name: text(row, 'name'),
    role: roleOf(row),
    created: number(row, 'created'),
    changed: number(row, 'changed'),
  };
}

function tokenOf(row: Row): TokenRow {
  return {
    id: text(row, 'id'),
    account: text(row, 'account'),
    kind: text(row, 'kind') === 'program' ? 'program' : 'session',
    label: text(row, 'label'),
    role: roleOf(row),
    created: number(row, 'created'),
    expires: number(row, 'expires'),
    ends: number(row, 'ends'),
  };
}

/** What this release does not know may the least. */
function roleOf(row: Row): Role {
  const role = text(row, 'role');
  return ROLES.find((one) => one === role) ?? 'viewer';
}
