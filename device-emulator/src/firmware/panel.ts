import {
  counted,
  credentialOf,
  decodeUser,
  FIELDS,
  KEY_BYTES,
  readRecord,
  recordDigest,
  sameBytes,
  WhorlError,
  writeRecord,
} from '@whorl/protocol';
import type { FieldName, Random, UserRecord } from '@whorl/protocol';
import { enrolledFields, fieldsOf, overlay } from './enrolment.ts';
import type { Enrolment, UserFields } from './enrolment.ts';
import { unheldFields } from './holding.ts';
import type { Happening, Held } from './held.ts';
import type { Model } from './model.ts';
import type { Op } from './ops.ts';
import type { Portable } from './portable/portable.ts';
import type { Change } from './portable/state.ts';
import type { SharedUsers } from './users.ts';
import type { Entry, Store } from './store.ts';
import { changedFields } from './users.ts';

/** An edit at the terminal's menu. */
export interface Edit {
  readonly user: number;
  readonly set?: UserFields | undefined;
  readonly clear?: readonly FieldName[] | undefined;
}

/** What is held to the reader: a card's number, or whatever identifies this user. */
export type Tap =
  | { readonly card: Uint8Array }
  | {
      readonly user: number;
      /** Number of the field by which the user was known; 0 when not given. */
      readonly field?: number | undefined;
      /** What was shown besides, such as a PIN, is not the user's. */
      readonly wrong?: boolean | undefined;
    };

/** Log records written together. */
const RECORDS_AT_ONCE = 500;

/** What people do at the terminal itself. Every change is stored before the method returns. */
export class Panel {
  readonly #store: Store;
  readonly #model: Model;
  readonly #random: Random;
  readonly #portable: Portable | undefined;

  constructor(options: { store: Store; model: Model; random: Random; portable: Portable | undefined }) {
    this.#store = options.store;
    this.#model = options.model;
    this.#random = options.random;
    this.#portable = options.portable;
  }

  /**
   * Enrols, with one log record a credential.
   * @returns the user's id
   * @throws WhorlError TERMINAL_FULL (and the log tells of a failed enrolment), TERMINAL_CANNOT_HOLD, MESSAGE_RANGE
   */
  enrol(enrolment: Enrolment): number {
    this.#portable?.mayChange();
    const { users } = this.#store.state;
    const user = enrolment.user ?? (users.ids().at(-1) ?? 0) + 1;
    const before = users.record(user);
    const fields = enrolledFields(enrolment, this.#model, this.#random);
    const after = overlay(user, before, fields);
    this.#check(after);
    if (before === undefined && users.size >= this.#model.capabilities.users) {
      this.enrolFailed(user);
      throw new WhorlError(
        'TERMINAL_FULL',
        `user ${user.toString()}: ${counted(users.size, 'user is', 'users are')} held`,
      );
    }
    const credentials = [...fields.keys()].filter((number) => credentialOf(number) !== undefined);
    const entries: Entry[] = credentials.map((detail) => ({ kind: 'user.enrolled', user, detail }));
    const kind = before === undefined ? 'user.enrolled' : 'user.edited';
    const told: Entry[] = entries.length > 0 ? entries : [{ kind, user }];
    this.#put(after, told, told.some((entry) => entry.kind === 'user.enrolled') ? 'enrolled' : 'edited');
    return user;
  }

  /**
   * Changes fields of a user.
   * @returns whether anything is different now; if not, the log says nothing
   * @throws WhorlError TERMINAL_NO_USER, TERMINAL_CANNOT_HOLD, MESSAGE_RANGE
   */
  edit({ user, set = {}, clear = [] }: Edit): boolean {
    this.#portable?.mayChange();
    const before = this.#held(user);
    const after = overlay(user, before, fieldsOf(set), clear);
    this.#check(after);
    const changed = changedFields(before, after);
    const credential = changed.find((number) => credentialOf(number) !== undefined);
    const untold =
      this.#model.quirks.has('pin-edits-unlogged') && changed.every((number) => number === FIELDS.pin.number);
    const entries = untold ? [] : [{ kind: 'user.edited', user, detail: credential ?? 0 } as const];
    return this.#put(after, entries, 'edited');
  }

  /** Deletes a user. @throws WhorlError TERMINAL_NO_USER */
  remove(user: number): void {
    this.#portable?.mayChange();
    this.#held(user);
    const ops: Op[] = [{ name: 'dropped', user }, ...(this.#portable?.changes(user, 'deleted') ?? [])];
    this.#store.change(ops, [{ kind: 'user.deleted', user }]);
  }

  /** Somebody asks to be let in: who is held here and valid now is. */
  tap(tap: Tap): { granted: boolean; user: number } {
    const { users } = this.#store.state;
    const card = 'card' in tap ? users.holderOf(tap.card) : undefined;
    const user = 'card' in tap ? (card?.user ?? 0) : tap.user;
    const held = users.get(user);
    const wrong = 'wrong' in tap && tap.wrong === true;
    const granted = held !== undefined && !wrong && this.#isValid(held.bytes);
    const kind = granted ? 'access.granted' : 'access.denied';
    const detail = 'user' in tap ? tap.field : card?.field;
    this.#store.change([], [{ kind, user, detail: detail ?? 0 }]);
    return { granted, user };
  }

  /** An enrolment is begun and given up. */
  enrolFailed(user = 0): void {
    this.#store.change([], [{ kind: 'user.enrol.failed', user }]);
  }

  /** The housing is opened. */
  tamper(): void {
    this.#store.change([], [{ kind: 'terminal.tampered' }]);
  }

  /**
   * Sets the clock at the terminal's menu.
   * @param shown milliseconds UTC
   * @param ppm millionths by which it runs fast from now on; as before when not given
   */
  setClock(shown: number, ppm?: number): void {
    const detail = Math.min(0xffff, Math.round(Math.abs(shown - this.#store.shown()) / 1000));
    this.#store.change([this.#store.clockAt(shown, ppm)], [{ kind: 'terminal.clock.set', detail }]);
  }

  /** Shifts the clock as an empty battery does: the log says nothing. */
  slipClock(byMs: number): void {
    this.#store.change([this.#store.clockAt(this.#store.shown() + byMs)], []);
  }

  /** So many strangers ask to be let in. */
  turnAway(strangers: number): void {
    const entries = Array.from({ length: strangers }, (): Entry => ({ kind: 'access.denied' }));
    for (let from = 0; from < strangers; from += RECORDS_AT_ONCE)
      this.#store.change([], entries.slice(from, from + RECORDS_AT_ONCE));
  }

  /** @param key the pairing key, 32 bytes; `undefined` for none */
  setKey(key: Uint8Array | undefined): void {
    this.#store.change([{ name: 'paired', key: key ?? new Uint8Array(KEY_BYTES) }], []);
  }

  clearLog(): void {
    const { last } = this.#store.state.log;
    this.#store.change([{ name: 'cleared', last }], [{ kind: 'log.cleared' }]);
  }

  /** Everything is as new, but for the count of starts; the log begins again under another epoch. */
  factoryReset(): void {
    this.#store.change(this.#store.made(this.#random, this.#store.state.boots), []);
  }

  /**
   * Puts users in place as if they had always been there: the log says nothing. Those that are shared take the place
   * of all others.
   * @throws WhorlError TERMINAL_FULL, TERMINAL_CANNOT_HOLD; then nothing has changed
   */
  load(given: readonly UserRecord[] | SharedUsers): void {
    if ('table' in given) {
      this.#fit(given.table.size);
      this.#store.adopt(given);
    } else this.#loadOwn(given);
  }

  #loadOwn(records: readonly UserRecord[]): void {
    const { users } = this.#store.state;
    const added = new Set(records.map(({ id }) => id).filter((id) => users.get(id) === undefined));
    this.#fit(users.size + added.size);
    for (const record of records) this.#check(record);
    this.#store.change(records.map(putOf), []);
  }

  /**
   * Makes it hold what another one held; its pairing key is gone.
   * @throws WhorlError TERMINAL_FULL, TERMINAL_CANNOT_HOLD; then nothing has changed
   */
  restore({ epoch, boots, clock, log, users }: Held): void {
    this.#fit(users.length);
    for (const record of users) this.#check(record);
    const begin: Op[] = [
      { name: 'made', epoch, boots },
      { name: 'cleared', last: log.last - log.records.length },
      this.#store.clockAt(this.#store.trueTime + clock.aheadMs, clock.ppm),
      ...users.map(putOf),
    ];
    this.#store.change(begin, []);
    for (let from = 0; from < log.records.length; from += RECORDS_AT_ONCE) {
      const some = log.records.slice(from, from + RECORDS_AT_ONCE);
      const ops = some.map((record): Op => ({ name: 'logged', record }));
      this.#store.change(ops, []);
    }
  }

  /** Makes happen here what happened at another one. */
  relive({ put = [], dropped = [], records }: Happening): void {
    const { last } = this.#store.state.log;
    this.#store.change(
      [
        ...put.map(putOf),
        ...dropped.map((user): Op => ({ name: 'dropped', user })),
        ...records.map((record, i): Op => ({ name: 'logged', record: { ...record, id: last + 1 + i } })),
      ],
      [],
    );
  }

  /** Takes users away as if they had never been there: the log says nothing. */
  unload(users: readonly number[]): void {
    const held = users.filter((user) => this.#store.state.users.get(user) !== undefined);
    this.#store.change(
      held.map((user) => ({ name: 'dropped', user }) as const),
      [],
    );
  }

  #fit(users: number): void {
    const most = this.#model.capabilities.users;
    if (users > most) throw new WhorlError('TERMINAL_FULL', `${counted(users, 'user')}, ${most} fit`);
  }

  #held(user: number): UserRecord {
    const held = this.#store.state.users.get(user);
    if (held === undefined) throw new WhorlError('TERMINAL_NO_USER', `user ${user.toString()}`);
    return readRecord(held.bytes);
  }

  #check(record: UserRecord): void {
    if (!Number.isInteger(record.id) || record.id < 1 || record.id > 0xffff_ffff)
      throw new WhorlError('MESSAGE_RANGE', 'a user’s id is a whole number from 1 to 4294967295');
    const unheld = unheldFields(this.#model.capabilities, record);
    if (unheld.length > 0)
      throw new WhorlError('TERMINAL_CANNOT_HOLD', `user ${record.id.toString()}: ${unheld.join(', ')}`);
  }

  #put(record: UserRecord, entries: readonly Entry[], what: Change['what']): boolean {
    const op = putOf(record);
    const held = this.#store.state.users.get(record.id);
    if (held !== undefined && sameBytes(held.digest, op.digest)) return false;
    this.#store.change([op, ...(this.#portable?.changes(record.id, what) ?? [])], entries);
    return true;
  }

  #isValid(user: Uint8Array): boolean {
    const { validity } = decodeUser(user);
    const now = Math.floor(this.#store.shown() / 1000);
    return validity === undefined || (now >= validity.from && (validity.until === 0 || now < validity.until));
  }
}

function putOf(record: UserRecord) {
  return {
    name: 'put',
    user: record.id,
    digest: recordDigest(record),
    bytes: writeRecord(record),
  } as const;
}
