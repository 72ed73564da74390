import { hash, timingSafeEqual } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';
import type { Clock, Random } from '@whorl/protocol';
import { mayDo } from '../settings/roles.ts';
import type { Role } from '../settings/roles.ts';
import type { AccessStore, Account, TokenRow } from '../store/access.ts';
import { checkPassword, hashPassword, isPassword, NOBODYS_HASH } from './password.ts';

/** Whoever asks for something. */
export interface Caller {
  /** Name of the account; `machine` for who works on the gateway's own machine, `nobody` without any proof. */
  readonly name: string;
  readonly role: Role | undefined;
  /** The token that was shown. */
  readonly token?: string;
}

/** What somebody gets who logs in. */
export interface Session {
  readonly token: string;
  /** Milliseconds UTC. */
  readonly expires: number;
  /** Exchanged for the next session, once. */
  readonly refresh: string;
  /** Milliseconds UTC. */
  readonly ends: number;
  readonly name: string;
  readonly role: Role;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SESSION_MS = 30 * MINUTE;
const REFRESH_MS = 30 * DAY;
/** Whoever comes with a spent refresh token this soon after it was spent is only late. */
const GRACE_MS = 30_000;
const SECRET_BYTES = 32;
/** So that a leaked one is recognized as what it is. */
const TOKEN_PREFIX = 'whorl_';
const REFRESH_PREFIX = 'whorlr_';
/** Letters and digits that are not mistaken for one another. */
const CODE_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 12;
const SETUP_TRIES = 10;

export interface AccessParts {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who may do what: accounts, sessions, tokens. */
export class Access {
  readonly #store: AccessStore;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Told when tokens have ended before their time. */
  readonly #watchers = new Set<() => void>();
  #setup: { readonly code: string; tries: number } | undefined;

  constructor({ store, clock, random }: AccessParts) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * A one-time code with which the first admin is made, `XXXX-XXXX-XXXX`; `undefined` when there is an account. Kept
   * in memory only: another one each time.
   */
  async offerSetup(): Promise<string | undefined> {
    this.#setup = undefined;
    if ((await this.#store.accounts()).length > 0) return undefined;
    const letters = Array.from(
      { length: CODE_LENGTH },
      () => CODE_LETTERS[this.#random.below(CODE_LETTERS.length)],
    );
    const code = letters.join('').replaceAll(/(.{4})(?=.)/g, '$1-');
    this.#setup = { code, tries: SETUP_TRIES };
    return code;
  }

  /** Makes the first admin. @throws WhorlError SETUP_DONE, SETUP_CODE, PASSWORD_WEAK */
  async setUp(code: string, name: string, password: string): Promise<void> {
    if ((await this.#store.accounts()).length > 0)
      throw new WhorlError('SETUP_DONE', 'this gateway has accounts');
    const setup = this.#setup;
    if (setup === undefined || setup.tries === 0)
      throw new WhorlError('SETUP_CODE', 'no code is valid any more');
    setup.tries -= 1;
    if (!same(plain(code), plain(setup.code))) throw new WhorlError('SETUP_CODE', 'the code is wrong');
    checkPassword(name, password);
    this.#setup = undefined;
    await this.addAccount({ name, role: 'admin', password });
  }

  /** @throws WhorlError AUTH_WRONG; the same, and as late, for a name that nobody has */
  async login(name: string, password: string, place: string): Promise<Session> {
    const account = await this.#store.account(name);
    const right = await isPassword(password, account?.password ?? NOBODYS_HASH);
    if (account === undefined || !right) throw new WhorlError('AUTH_WRONG', 'the login was refused');
    const now = this.#clock.wallTime();
    await this.#store.forgetTokens(now);
    const fresh = this.#fresh(now);
    const { expires, ends } = fresh;
    const row = {
      id: this.#id(),
      account: name,
      role: account.role,
      label: place,
      created: now,
      expires,
      ends,
    };
    await this.#store.addToken({ ...row, kind: 'session' }, fresh.digests);
    return sessionOf(account, fresh);
  }

  /**
   * The next session for a refresh token. One that was spent already has been stolen from somebody: the session ends
   * for both.
   * @throws WhorlError AUTH_EXPIRED
   */
  async refresh(refresh: string): Promise<Session> {
    const digest = digestOf(refresh);
    const found = await this.#store.session(digest);
    if (found === undefined) throw expired();
    const { row, spent } = found;
    const now = this.#clock.wallTime();
    // Two programs of one person renew at the same moment.
    if (spent && now - (row.expires - SESSION_MS) < GRACE_MS) throw expired();
    const account = await this.#store.account(row.account);
    if (spent || row.ends <= now || account === undefined) {
      await this.#store.deleteToken(row.id);
      this.#ended();
      throw expired();
    }
    const fresh = this.#fresh(now);
    const { expires, ends } = fresh;
    if (!(await this.#store.renewToken({ id: row.id, expires, ends }, digest, fresh.digests)))
      throw expired();
    return sessionOf(account, fresh);
  }

  /** Who shows this token. @throws WhorlError AUTH_EXPIRED */
  async callerOf(token: string): Promise<Caller> {
    const row = await this.#store.token(digestOf(token));
    if (row === undefined || row.expires <= this.#clock.wallTime()) throw expired();
    const account = (await this.#store.accounts()).find(({ name }) => name === row.account);
    if (account === undefined) throw expired();
    return { name: account.name, role: lower(account.role, row.role), token: row.id };
  }

  /** How a session or token stands now; `undefined` when it has ended. */
  async standing(id: string): Promise<{ readonly role: Role; readonly expires: number } | undefined> {
    const row = (await this.#store.tokens()).find((one) => one.id === id);
    const account = (await this.#store.accounts()).find(({ name }) => name === row?.account);
    if (row === undefined || account === undefined) return undefined;
    return { role: lower(account.role, row.role), expires: row.expires };
  }

  /** Calls `ended` whenever tokens have ended before their time. @returns ends it */
  watch(ended: () => void): () => void {
    this.#watchers.add(ended);
    return () => void this.#watchers.delete(ended);
  }

  /** Whether somebody has a session of this account that was opened from there: no stranger. */
  async knows(name: string, place: string): Promise<boolean> {
    const now = this.#clock.wallTime();
    return (await this.#store.tokens()).some(
      ({ kind, account, label, ends }) =>
        kind === 'session' && account === name && label === place && ends > now,
    );
  }

  accounts(): Promise<readonly Account[]> {
    return this.#store.accounts();
  }

  /** @throws WhorlError ACCOUNT_EXISTS, PASSWORD_WEAK */
  async addAccount(account: {
    readonly name: string;
    readonly role: Role;
    readonly password: string;
  }): Promise<void> {
    const { name, role, password } = account;
    checkPassword(name, password);
    if ((await this.#store.account(name)) !== undefined)
      throw new WhorlError('ACCOUNT_EXISTS', `there is an account ${name} already`);
    const now = this.#clock.wallTime();
    const secret = await hashPassword(password, this.#random);
    await this.#store.saveAccount(
      { name, role, created: now, changed: now, password: secret },
      { revoke: true },
    );
    this.#setup = undefined;
  }

  /** Whoever is logged in as it has to log in again. @throws WhorlError ACCOUNT_UNKNOWN, ACCOUNT_LAST, PASSWORD_WEAK */
  async changeAccount(
    name: string,
    change: { readonly role?: Role | undefined; readonly password?: string | undefined },
  ): Promise<void> {
    const held = await this.#store.account(name);
    if (held === undefined) throw unknownAccount(name);
    const role = change.role ?? held.role;
    if (role !== 'admin') await this.#notLastAdmin(name);
    if (change.password !== undefined) checkPassword(name, change.password);
    const password =
      change.password === undefined ? held.password : await hashPassword(change.password, this.#random);
    await this.#store.saveAccount(
      { ...held, role, password, changed: this.#clock.wallTime() },
      { revoke: true },
    );
    this.#ended();
  }

  /** Changes one's own password. @throws WhorlError AUTH_WRONG, PASSWORD_WEAK */
  async changePassword(name: string, old: string, password: string): Promise<void> {
    const held = await this.#store.account(name);
    if (held === undefined || !(await isPassword(old, held.password)))
      throw new WhorlError('AUTH_WRONG', 'the present password is wrong');
    await this.changeAccount(name, { password });
  }

  /** With its tokens. @throws WhorlError ACCOUNT_UNKNOWN, ACCOUNT_LAST */
  async removeAccount(name: string): Promise<void> {
    await this.#notLastAdmin(name);
    if (!(await this.#store.deleteAccount(name))) throw unknownAccount(name);
    this.#ended();
  }

  tokens(): Promise<readonly TokenRow[]> {
    return this.#store.tokens();
  }

  /** A token for a program; its secret is told this once. @throws WhorlError ACCOUNT_UNKNOWN, AUTH_ROLE */
  async makeToken(wish: {
    readonly account: string;
    readonly label: string;
    readonly role: Role;
    readonly days: number;
  }): Promise<{ readonly id: string; readonly token: string; readonly expires: number }> {
    const account = (await this.#store.accounts()).find(({ name }) => name === wish.account);
    if (account === undefined) throw unknownAccount(wish.account);
    if (!mayDo(account.role, wish.role))
      throw new WhorlError(
        'AUTH_ROLE',
        `${account.name} is ${account.role}, a token of theirs is no ${wish.role}`,
      );
    const now = this.#clock.wallTime();
    const expires = now + wish.days * DAY;
    const token = this.#secret(TOKEN_PREFIX);
    const { label, role } = wish;
    const row = { id: this.#id(), account: account.name, label, role, created: now, expires, ends: expires };
    await this.#store.addToken({ ...row, kind: 'program' }, { secret: digestOf(token) });
    return { id: row.id, token, expires };
  }

  /** Ends a session or a program's token. @throws WhorlError TOKEN_UNKNOWN */
  async revoke(id: string): Promise<void> {
    if (!(await this.#store.deleteToken(id)))
      throw new WhorlError('TOKEN_UNKNOWN', `there is no token ${id}`);
    this.#ended();
  }

  #ended(): void {
    for (const ended of this.#watchers) ended();
  }

  async #notLastAdmin(name: string): Promise<void> {
    const admins = (await this.#store.accounts()).filter(({ role }) => role === 'admin');
    if (admins.length === 1 && admins[0]?.name === name)
      throw new WhorlError('ACCOUNT_LAST', `${name} is the only admin`);
  }

  #fresh(now: number): Fresh {
    const token = this.#secret(TOKEN_PREFIX);
    const refresh = this.#secret(REFRESH_PREFIX);
    const digests = { secret: digestOf(token), refresh: digestOf(refresh) };
    return { token, refresh, digests, expires: now + SESSION_MS, ends: now + REFRESH_MS };
  }

  #secret(prefix: string): string {
    return `${prefix}${Buffer.from(this.#random.bytes(SECRET_BYTES)).toString('base64url')}`;
  }

  #id(): string {
    return Buffer.from(this.#random.bytes(6)).toString('hex');
  }
}

interface Fresh {
  readonly token: string;
  readonly refresh: string;
  readonly digests: { readonly secret: Uint8Array; readonly refresh: Uint8Array };
  readonly expires: number;
  readonly ends: number;
}

function sessionOf({ name, role }: Account, { token, expires, refresh, ends }: Fresh): Session {
  return { token, expires, refresh, ends, name, role };
}

/** Secrets have 256 random bits: a plain digest cannot be searched. */
function digestOf(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer');
}

function lower(one: Role, other: Role): Role {
  return mayDo(one, other) ? other : one;
}

function plain(code: string): string {
  return code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

function same(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}

function expired(): WhorlError {
  return new WhorlError('AUTH_EXPIRED', 'the token is not valid any more');
}

function unknownAccount(name: string): WhorlError {
  return new WhorlError('ACCOUNT_UNKNOWN', `there is no account ${name}`);
}
