import type { Role } from '../settings/roles.ts';

/** Somebody who may log in. */
export interface Account {
  readonly name: string;
  readonly role: Role;
  /** Milliseconds UTC. */
  readonly created: number;
  /** When password or role were changed last, milliseconds UTC. */
  readonly changed: number;
}

/** With what the password is checked: an argon2id hash in PHC form. In the database it stands sealed under the vault. */
export interface AccountSecret extends Account {
  readonly password: string;
}

/** What somebody shows instead of a password; only digests are kept of what is secret in it. */
export interface TokenRow {
  /** Not secret: to speak of it. */
  readonly id: string;
  readonly account: string;
  /** `session`: by logging in, renewed by a refresh token. `program`: made by hand. */
  readonly kind: 'session' | 'program';
  /** What it is for, in the words of who made it; of a session, where it was opened from. */
  readonly label: string;
  /** At most this, whatever the account may. */
  readonly role: Role;
  /** Milliseconds UTC. */
  readonly created: number;
  /** Milliseconds UTC. */
  readonly expires: number;
  /** When a session ends for good, milliseconds UTC. */
  readonly ends: number;
}

/** Digests of a token's secrets. */
export interface TokenDigests {
  readonly secret: Uint8Array;
  /** Of a session. */
  readonly refresh?: Uint8Array;
}

/**
 * Accounts and tokens. Each method is one transaction; errors as of {@link Store}.
 * @throws WhorlError VAULT_SEALED when an account was tampered with
 */
export interface AccessStore {
  /** By name. */
  accounts(): Promise<readonly Account[]>;
  account(name: string): Promise<AccountSecret | undefined>;
  /** Adds or changes; with `revoke`, all its tokens end in the same transaction. */
  saveAccount(account: AccountSecret, options: { readonly revoke: boolean }): Promise<void>;
  /** With its tokens. @returns whether it was there */
  deleteAccount(name: string): Promise<boolean>;

  /** By the digest of its secret. */
  token(secret: Uint8Array): Promise<TokenRow | undefined>;
  /** By the digest of its refresh token; `spent`: of one that was exchanged already. */
  session(refresh: Uint8Array): Promise<{ readonly row: TokenRow; readonly spent: boolean } | undefined>;
  tokens(): Promise<readonly TokenRow[]>;
  addToken(row: TokenRow, digests: TokenDigests): Promise<void>;
  /**
   * Exchanges a session's secrets.
   * @param refresh digest of the refresh token that is spent with it
   * @returns whether it was still valid
   */
  renewToken(
    renewed: { readonly id: string; readonly expires: number; readonly ends: number },
    refresh: Uint8Array,
    digests: Required<TokenDigests>,
  ): Promise<boolean>;
  /** @returns whether it was there */
  deleteToken(id: string): Promise<boolean>;
  /** Forgets tokens that ended before `now`. */
  forgetTokens(now: number): Promise<void>;
}
