import {
  batchDigest,
  chunkSize,
  MTU_MIN,
  readRecord,
  recordDigest,
  sameBytes,
  sleep,
  WhorlError,
} from '@whorl/protocol';
import type { Assembly, Body, RequestName, SealedEnd, UserRecord } from '@whorl/protocol';
import type { AnswerName } from '@whorl/protocol';
import { RefusedError } from '../../lines/answer.ts';
import type { Answer } from '../../lines/answer.ts';
import type { Line } from '../../lines/line.ts';
import type { Peer } from '../../lines/peer.ts';
import type { Priority } from '../../lines/priority.ts';
import type {
  Comparison,
  DriverWatcher,
  Identity,
  Keeper,
  LogPage,
  Moved,
  Outgoing,
  PushOptions,
  PushOutcome,
  TerminalDriver,
} from '../driver.ts';
import type { TerminalStatus } from '../status.ts';
import { compareUsers } from './comparing.ts';
import type { Convoys } from './convoy.ts';
import { Keeping } from './keeping.ts';
import { pairTerminal } from './pairing.ts';
import type { PairingParts } from './pairing.ts';
import { completed, knownFields, parcelOf } from './parcels.ts';
import type { Parcel } from './parcels.ts';
import { WhorlPortable } from './portable.ts';
import type { Presence } from './presence.ts';
import type { Member } from './seat.ts';
import { assemblyFor, fetchObject, isTransferLost, sendObject } from './transfers.ts';
import type { Way } from './transfers.ts';

export interface WhorlDriverParts {
  readonly name: string;
  readonly address: number;
  readonly line: Line;
  readonly presence: Presence;
  /** Of the line. */
  readonly convoys: Convoys;
}

/** A terminal that speaks Whorl's own protocol. */
export class WhorlDriver implements TerminalDriver, Member {
  readonly name: string;
  readonly peer: Peer;
  readonly #line: Line;
  readonly #presence: Presence;
  readonly #convoys: Convoys;
  readonly #watchers = new Set<DriverWatcher>();
  #identity: Identity | undefined;
  /** The session in which it told that. */
  #greetedIn: SealedEnd | undefined;
  /** Users it holds, as it said last. */
  #users = 0;
  #clockOffMs: number | undefined;
  #reason = 'not asked yet';
  /** Serial number of whoever answers here without having proven who it is. */
  #quarantine: string | undefined;
  #lastSeen: number | undefined;
  /** What has arrived of a user whose pull was interrupted. */
  #interrupted: Assembly | undefined;
  readonly #portable: WhorlPortable;

  constructor(parts: WhorlDriverParts) {
    this.name = parts.name;
    this.#line = parts.line;
    this.#presence = parts.presence;
    this.#convoys = parts.convoys;
    this.peer = parts.line.peer(parts.address);
    parts.presence.add(this);
    this.#portable = new WhorlPortable({
      ask: (name, body, priority, signal) => this.#ask(name, body, priority, signal),
      watching: (work) => this.#watching(work),
      way: (priority, signal) => this.#way(priority, signal),
      nextTransfer: () => this.#convoys.nextTransfer(),
      mtu: () => this.#mtu,
    });
  }

  get portable(): WhorlPortable | undefined {
    return this.#identity?.capabilities.does.portable === true ? this.#portable : undefined;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** How it is, for people. */
  status(): Pick<TerminalStatus, 'state' | 'counters'> & Partial<TerminalStatus> {
    const { roundTripMs, counters } = this.peer;
    const seen = {
      counters: { ...counters },
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(this.#lastSeen === undefined ? {} : { lastSeen: this.#lastSeen }),
    };
    const identity = this.#identity;
    if (identity === undefined) {
      if (this.#quarantine === undefined) return { state: 'offline', reason: this.#reason, ...seen };
      return { state: 'quarantined', serial: this.#quarantine, reason: this.#reason, ...seen };
    }
    const { serial, model, firmware, capabilities } = identity;
    const clock = this.#clockOffMs === undefined ? {} : { clockOffMs: this.#clockOffMs };
    return {
      state: 'online',
      serial,
      model,
      firmware,
      users: this.#users,
      capacity: capabilities.users,
      ...clock,
      ...seen,
    };
  }

  watch(watcher: DriverWatcher): void {
    this.#watchers.add(watcher);
  }

  isOnline(): boolean {
    return this.#identity !== undefined;
  }

  greeted(welcome: Body<'welcome'>, attention: boolean): void {
    const identity = this.#known(welcome);
    for (const watcher of this.#watchers) watcher.online(identity);
    if (attention) for (const watcher of this.#watchers) watcher.attention();
  }

  renewed(welcome: Body<'welcome'>): void {
    this.#known(welcome);
    for (const watcher of this.#watchers) watcher.attention();
  }

  #known(welcome: Body<'welcome'>): Identity {
    this.#lastSeen = this.#line.clock.wallTime();
    const identity: Identity = { ...welcome, greeted: this.#lastSeen };
    this.#identity = identity;
    this.#greetedIn = this.peer.sealed;
    this.#quarantine = undefined;
    this.#users = welcome.users;
    this.#clockOffMs = welcome.clock - this.#lastSeen;
    this.#line.setWindow(welcome.capabilities.window);
    return identity;
  }

  quarantined(serial: string, reason: string): void {
    this.#lastSeen = this.#line.clock.wallTime();
    const known = this.#quarantine === serial;
    this.#quarantine = serial;
    this.#reason = `${reason}; \`whorl pair ${this.name}\` pairs it`;
    if (!known) for (const watcher of this.#watchers) watcher.quarantined(serial, this.#reason);
  }

  alive(attention: boolean): void {
    this.#lastSeen = this.#line.clock.wallTime();
    if (attention) for (const watcher of this.#watchers) watcher.attention();
  }

  raised(): void {
    for (const watcher of this.#watchers) watcher.attention();
  }

  lost(reason: string): void {
    this.#identity = undefined;
    this.#reason = reason;
    for (const watcher of this.#watchers) watcher.offline(reason);
  }

  /** @throws as {@link pairTerminal} */
  pair(
    parts: Pick<PairingParts, 'code' | 'random' | 'mayPair'>,
  ): Promise<{ readonly serial: string; readonly key: Uint8Array }> {
    return pairTerminal({ ...parts, line: this.#line, address: this.peer.address });
  }

  /** Ends the session: the next greeting shows whether there may be another one. */
  part(): void {
    this.#presence.revoke(this, 'its pairing was changed');
  }

  async logsAfter(id: number, signal: AbortSignal): Promise<LogPage> {
    const { body } = await this.#ask('logs.read', { after: id }, 'live', signal);
    // What waited for its turn amid a renewal is answered in a session of which nothing is known yet: it may have
    // started anew before, with an older log.
    if (this.peer.sealed !== this.#greetedIn)
      throw new WhorlError('TERMINAL_OFFLINE', `${this.name} is being greeted`);
    this.#users = body.users;
    const last = body.records.at(-1)?.id ?? id;
    return { log: body.log, records: body.records, more: body.records.length > 0 && last < body.log.last };
  }

  async pull(
    user: number,
    known: UserRecord | undefined,
    signal: AbortSignal,
    keeper?: Keeper,
  ): Promise<Moved<UserRecord | undefined>> {
    const began = this.#line.clock.now();
    const offer = await this.#offer(user, knownFields(known, this.#mtu), signal);
    if (offer === undefined) return { value: undefined, bytes: 0, ms: this.#line.clock.now() - began };
    const keeping = new Keeping(keeper);
    const assembly = assemblyFor(offer, this.#interrupted ?? (await keeping.earlier()));
    this.#interrupted = assembly;
    const way = this.#way('pull', signal);
    const object = await this.#watching(() => fetchObject(way, offer, assembly, keeping));
    this.#interrupted = undefined;
    await keeping.over();
    const value = completed(readRecord(object), offer, known);
    return { value, bytes: object.length, ms: this.#line.clock.now() - began };
  }

  async push(
    users: readonly Outgoing[],
    options: PushOptions,
    signal: AbortSignal,
  ): Promise<Moved<readonly PushOutcome[]>> {
    const began = this.#line.clock.now();
    const first = parcelOf(users, this.#identity?.capabilities.does.patches === true);
    const records = users.map(({ record }) => record);
    const committed = await this.#sendAndCommit(first, options, signal);
    const outcomes = [...(await this.#outcomes(records, committed, signal))];
    let bytes = first.object.length;
    const whole = users.flatMap((user, index) => (isOtherBase(outcomes[index]) ? [{ user, index }] : []));
    if (whole.length > 0) {
      const again = parcelOf(
        whole.map(({ user: { record } }) => ({ record })),
        false,
      );
      const others = whole.map(({ user }) => user.record);
      const results = await this.#outcomes(others, await this.#sendAndCommit(again, options, signal), signal);
      for (const [i, { index }] of whole.entries()) outcomes[index] = results[i] ?? REFUSED;
      bytes += again.object.length;
    }
    return { value: outcomes, bytes, ms: this.#line.clock.now() - began };
  }

  async remove(
    users: readonly number[],
    { after = WHATEVER_CHANGED }: Partial<Pick<PushOptions, 'after'>>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      this.#users = (await this.#ask('users.remove', { users, after }, 'push', signal)).body.users;
      return true;
    } catch (error) {
      if (error instanceof RefusedError && error.reason === 'changed-here') return false;
      throw error;
    }
  }

  compare(expected: ReadonlyMap<number, Uint8Array>, signal: AbortSignal): Promise<Comparison> {
    return compareUsers(expected, {
      symbols: async (from, count) => (await this.#ask('sketch.read', { from, count }, 'bulk', signal)).body,
      all: () => this.digests(signal),
      pause: () => sleep(this.#line.clock, 0),
    });
  }

  async digests(signal: AbortSignal): Promise<ReadonlyMap<number, Uint8Array>> {
    const all = new Map<number, Uint8Array>();
    for (let after = 0; ;) {
      const { body } = await this.#ask('users.digests', { after }, 'bulk', signal);
      for (const user of body.users) all.set(user.id, user.digest.slice());
      const last = body.users.at(-1);
      if (last === undefined) return all;
      after = last.id;
    }
  }

  async clockOff(signal: AbortSignal): Promise<number> {
    const { body } = await this.#ask('clock.read', {}, 'bulk', signal);
    const off = body.clock - this.#line.clock.wallTime();
    this.#clockOffMs = off;
    return off;
  }

  async setClock(time: number, signal: AbortSignal): Promise<void> {
    await this.#ask('clock.set', { clock: time }, 'command', signal);
    this.#clockOffMs = 0;
  }

  get #mtu(): number {
    return this.#identity?.capabilities.mtu ?? MTU_MIN;
  }

  async #offer(
    user: number,
    known: Body<'user.pull'>['known'],
    signal: AbortSignal,
  ): Promise<Body<'transfer.offered'> | undefined> {
    try {
      return (await this.#ask('user.pull', { user, known }, 'pull', signal)).body;
    } catch (error) {
      if (error instanceof RefusedError && error.reason === 'no-such-user') return undefined;
      throw error;
    }
  }

  /** A transfer that the terminal has lost (it was reset, or found it damaged) is begun once more. */
  async #sendAndCommit(
    { kind, object }: Parcel,
    { after, open }: PushOptions,
    signal: AbortSignal,
  ): Promise<Body<'transfer.committed'>> {
    const way = this.#way('push', signal);
    const chunk = chunkSize(this.peer.session, this.#mtu);
    for (let again = false; ; again = true) {
      const transfer = this.#convoys.nextTransfer();
      const alone = (size: number): Promise<Body<'transfer.committed'>> =>
        sendObject(way, { transfer, kind, chunk: size, object, after });
      try {
        const committed = await this.#watching(() =>
          again ? alone(chunk) : this.#convoys.send(way, { kind, bytes: object, chunk, after, open }, alone),
        );
        this.#users = committed.users;
        return committed;
      } catch (error) {
        if (again || !isTransferLost(error)) throw error;
      }
    }
  }

  async #outcomes(
    records: readonly UserRecord[],
    committed: Body<'transfer.committed'>,
    signal: AbortSignal,
  ): Promise<PushOutcome[]> {
    const refused = new Map(committed.refused.map((item) => [item.index, item.reason]));
    const taken = records.filter((_, index) => !refused.has(index)).map(recordDigest);
    const right = sameBytes(batchDigest(taken), committed.digest);
    return Promise.all(
      records.map(async (record, index): Promise<PushOutcome> => {
        const reason = refused.get(index);
        if (reason !== undefined) return { kind: 'refused', reason };
        if (right || (await this.#holds(record, signal))) return { kind: 'verified' };
        return { kind: 'refused', reason: 'corrupt' };
      }),
    );
  }

  async #holds(record: UserRecord, signal: AbortSignal): Promise<boolean> {
    const { body } = await this.#ask('users.digests', { after: record.id - 1 }, 'push', signal);
    const first = body.users[0];
    return first?.id === record.id && sameBytes(first.digest, recordDigest(record));
  }

  #ask<Name extends RequestName>(
    name: Name,
    body: Body<Name>,
    priority: Priority,
    signal: AbortSignal,
  ): Promise<Answer<AnswerName<Name>>> {
    return this.#watching(() => this.#line.ask(this.peer, { name, body, priority, signal }));
  }

  /** A terminal that says that there is no session has been reset: it is greeted again at once. */
  async #watching<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RefusedError && error.reason === 'no-session')) throw error;
      this.#presence.again(this, 'it started anew');
      // Not refused, which would be told to people and tried later: what was under way goes on once it is back.
      throw new WhorlError('TERMINAL_OFFLINE', `${this.name} started anew`, { cause: error });
    }
  }

  #way(priority: Priority, signal: AbortSignal): Way {
    return { line: this.#line, peer: this.peer, priority, signal };
  }
}

/** Of the log records that a terminal numbers, none comes behind this one. */
const WHATEVER_CHANGED = 0xffff_ffff;
const REFUSED: PushOutcome = { kind: 'refused', reason: 'corrupt' };

function isOtherBase(outcome: PushOutcome | undefined): boolean {
  return outcome?.kind === 'refused' && outcome.reason === 'other-base';
}
