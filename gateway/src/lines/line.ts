import { BROADCAST, sleep, WhorlError } from '@whorl/protocol';
import type { AnswerName, Body, Clock, LineTiming, MessageName, Random, RequestName } from '@whorl/protocol';
import { answerOf } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Job, LentWire, Outcome, Talk } from './job.ts';
import { Peer } from './peer.ts';
import type { Priority } from './priority.ts';
import type { LineCounters, LineStatus } from './status.ts';
import { Taps } from './taps.ts';
import type { OpenTransport, Transport } from './transport.ts';
import { Turns } from './turns.ts';

/** What a line tells whoever watches it. */
export interface LineWatcher {
  /** Answers may come from now on. */
  readonly opened: () => void;
  /** The connection went away or could not be opened; called once for each reason in a row. */
  readonly closed: (reason: string) => void;
  /** A terminal raised its hand: it has logs. `undefined` when several did at once. Not proven: to be asked. */
  readonly hand?: (address: number | undefined) => void;
  /** The gateway is stopping; the line is not opened again. */
  readonly ended?: () => void;
}

export interface LineParts {
  readonly name: string;
  /** In words: `serial /dev/ttyUSB0 at 115200 baud`. */
  readonly over: string;
  readonly open: OpenTransport;
  readonly timing: LineTiming;
  readonly clock: Clock;
  readonly random: Random;
}

interface Asking<Name extends MessageName> {
  readonly name: Name;
  readonly body: Body<Name>;
  readonly priority: Priority;
  /** See {@link Talk}; false when not given. */
  readonly plain?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
const TRIES = 3;

/**
 * The one owner of a line: opens it, takes it up again for ever when it goes away, and gives turns on it. Everything
 * that waits for a turn is settled when the line closes.
 */
export class Line {
  readonly name: string;
  readonly over: string;
  readonly timing: LineTiming;
  readonly clock: Clock;
  /** All terminals of the line, asked by broadcast. */
  readonly group: Peer;
  /** Who listens in on it. */
  readonly taps = new Taps();
  readonly #open: OpenTransport;
  readonly #random: Random;
  readonly #watchers = new Set<LineWatcher>();
  readonly #stop = new AbortController();
  readonly #counters: LineCounters = noCounters();
  #turns: Turns | undefined;
  #transport: Transport | undefined;
  #gone: ((reason: string) => void) | undefined;
  #state: LineStatus['state'] = 'opening';
  #reason: string | undefined;
  #nextTry: number | undefined;
  #openedAt = 0;
  #turnMs = 150;
  #online = 0;
  #running: Promise<void> | undefined;

  constructor(parts: LineParts) {
    this.name = parts.name;
    this.over = parts.over;
    this.timing = parts.timing;
    this.clock = parts.clock;
    this.#open = this.taps.around(parts.open);
    this.#random = parts.random;
    this.group = new Peer(BROADCAST, parts.random);
  }

  get isOpen(): boolean {
    return this.#turns !== undefined;
  }

  /** Jobs that wait for the line. */
  get waiting(): number {
    return this.#turns?.waiting ?? 0;
  }

  /** Grows whenever something came in that was no sound frame. */
  get noise(): number {
    return this.#counters.framesBad + this.#counters.bytesDiscarded;
  }

  peer(address: number): Peer {
    return new Peer(address, this.#random);
  }

  watch(watcher: LineWatcher): void {
    this.#watchers.add(watcher);
  }

  start(): void {
    this.#running ??= this.#keepOpen();
  }

  /** Closes the line for good; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const watcher of this.#watchers) watcher.ended?.();
    this.#gone?.('the gateway is stopping');
    await this.#running;
  }

  /** Gives the connection up and opens a new one: for one that is dead without saying so. */
  reopen(reason: string): void {
    this.#gone?.(reason);
  }

  /** Lets so many exchanges be under way at once, where the line is not shared. */
  setWindow(window: number): void {
    if (this.#turns !== undefined) this.#turns.window = window;
  }

  /**
   * @param online terminals that answer
   * @param pace.inviteMs invites those who have logs at least this often, also while a long transfer goes out
   * @param pace.turnMs longest that one turn should take
   */
  setCompany(online: number, { inviteMs, turnMs }: { inviteMs: number; turnMs: number }): void {
    this.#online = online;
    this.#turnMs = turnMs;
    if (this.#turns !== undefined) this.#turns.inviteEveryMs = inviteMs;
  }

  /** Terminals that answer, on a shared line. */
  get online(): number {
    return this.#online;
  }

  /** Whether it was opened just now, and not everyone has been greeted yet: whoever needs the same as others may wait for them. */
  isSettling = false;

  /** Longest that one turn should take, so that others are heard in time, milliseconds. */
  get turnMs(): number {
    return this.#turnMs;
  }

  /** When hands could be raised last, on the line's clock. */
  get invitedAt(): number {
    return this.#turns?.invitedAt ?? Number.NEGATIVE_INFINITY;
  }

  /** Queues a job; settles it at once when the line is closed. The way without promises, for what happens all the time. */
  add(job: Job): void {
    if (this.#turns === undefined) job.settle({ kind: 'failed', error: this.#closedError() });
    else this.#turns.add(job);
  }

  /**
   * Asks a terminal and waits for its answer.
   * @throws WhorlError EXCHANGE_TIMEOUT, EXCHANGE_REFUSED, EXCHANGE_UNEXPECTED, LINE_CLOSED, ABORTED, MESSAGE_*
   */
  async ask<Name extends RequestName>(
    peer: Peer,
    asking: Asking<Name>,
    options: { tries?: number } = {},
  ): Promise<Answer<AnswerName<Name>>> {
    const outcome = await this.#turn(peer, asking, { tries: options.tries ?? TRIES, frames: 1 });
    return answerOf(asking.name, outcome);
  }

  /**
   * Asks for an answer of several frames; those that were lost are missing from it.
   * @throws as {@link ask}
   */
  async askMany<Name extends RequestName>(
    peer: Peer,
    asking: Asking<Name>,
    frames: number,
  ): Promise<Answer<AnswerName<Name>>[]> {
    const outcome = await this.#turn(peer, asking, { tries: TRIES, frames });
    if (outcome.kind !== 'answered') return [];
    return outcome.frames.map((frame) => answerOf(asking.name, { ...outcome, frames: [frame] }));
  }

  /** Sends what is not answered; resolves when its turn is over. @throws WhorlError LINE_CLOSED, ABORTED */
  async send<Name extends MessageName>(peer: Peer, asking: Asking<Name>): Promise<void> {
    await this.#turn(peer, asking, undefined);
  }

  /**
   * Lends the wire to another protocol for one exchange.
   * @throws WhorlError LINE_CLOSED, and what `borrow` throws
   */
  lend<T>(priority: Priority, borrow: (wire: LentWire) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: { readonly value: T } | undefined;
      const loan = async (wire: LentWire): Promise<void> => {
        result = { value: await borrow(wire) };
      };
      const settle = (outcome: Outcome): void => {
        if (outcome.kind === 'failed') reject(outcome.error);
        else if (result !== undefined) resolve(result.value);
      };
      this.add({ loan, priority, settle });
    });
  }

  status(): LineStatus {
    const turns = this.#turns;
    const open = this.clock.now() - this.#openedAt;
    return {
      name: this.name,
      over: this.over,
      state: this.#state,
      counters: { ...this.#counters },
      waiting: this.waiting,
      ...(this.#state !== 'open' && this.#reason !== undefined ? { reason: this.#reason } : {}),
      ...(this.#nextTry === undefined ? {} : { nextTry: this.#nextTry }),
      ...(turns !== undefined && this.timing.baud !== undefined && open > 0
        ? { duty: Math.min(1, turns.busyMs / open) }
        : {}),
      ...(turns?.roundTripMs === undefined ? {} : { roundTripMs: turns.roundTripMs }),
    };
  }

  #turn<Name extends MessageName>(peer: Peer, asking: Asking<Name>, plan: Talk['plan']): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        asking.signal?.removeEventListener('abort', abort);
        if (outcome.kind === 'failed') reject(outcome.error);
        else resolve(outcome);
      };
      const { name, body, priority, plain = false } = asking;
      const job: Talk = {
        peer,
        name,
        body,
        priority,
        plain,
        settle,
        ...(plan === undefined ? {} : { plan }),
      };
      const abort = (): void => {
        if (this.#turns?.remove(job) === true)
          settle({ kind: 'failed', error: new WhorlError('ABORTED', `${name} to address ${peer.address}`) });
      };
      if (asking.signal?.aborted === true) {
        settle({ kind: 'failed', error: new WhorlError('ABORTED', `${name} to address ${peer.address}`) });
        return;
      }
      asking.signal?.addEventListener('abort', abort);
      this.add(job);
    });
  }

  async #keepOpen(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.#isStopping()) {
      this.#state = 'opening';
      const reason = await this.#once(() => {
        retryMs = FIRST_RETRY_MS;
      });
      if (this.#isStopping()) break;
      this.#closed(reason, retryMs);
      await sleep(this.clock, retryMs, this.#stop.signal).catch(() => undefined);
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    }
    this.#state = 'closed';
  }

  #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Opens the line and waits for its end; answers why it ended. */
  async #once(opened: () => void): Promise<string> {
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#gone = resolve;
        this.#connect(resolve).then(opened, reject);
      });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#gone = undefined;
      this.#disconnect();
    }
  }

  async #connect(closed: (reason: string) => void): Promise<void> {
    const transport = await this.#open(
      {
        frame: (stuffed) => this.#turns?.frame(stuffed),
        received: (bytes) => {
          this.#counters.bytesIn += bytes;
        },
        discarded: (bytes) => {
          this.#counters.bytesDiscarded += bytes;
        },
        closed,
      },
      this.#stop.signal,
    );
    const turns = new Turns({
      transport,
      clock: this.clock,
      timing: this.timing,
      counters: this.#counters,
      hand: (address) => {
        for (const watcher of this.#watchers) watcher.hand?.(address);
      },
    });
    this.#transport = transport;
    this.#turns = turns;
    this.#state = 'open';
    this.#reason = undefined;
    this.#nextTry = undefined;
    this.#openedAt = this.clock.now();
    this.#counters.opened += 1;
    for (const watcher of this.#watchers) watcher.opened();
  }

  #disconnect(): void {
    const turns = this.#turns;
    this.#turns = undefined;
    this.#transport?.close();
    this.#transport = undefined;
    turns?.close(this.#closedError());
  }

  #closed(reason: string, retryMs: number): void {
    const news = this.#reason !== reason;
    this.#state = 'closed';
    this.#reason = reason;
    this.#nextTry = this.clock.wallTime() + retryMs;
    if (news) for (const watcher of this.#watchers) watcher.closed(reason);
  }

  #closedError(): WhorlError {
    return new WhorlError(
      'LINE_CLOSED',
      `line ${this.name} (${this.over}) is not open${this.#reason === undefined ? '' : `: ${this.#reason}`}`,
    );
  }
}

function noCounters(): LineCounters {
  return {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    framesBad: 0,
    framesStray: 0,
    bytesDiscarded: 0,
    exchanges: 0,
    retries: 0,
    timeouts: 0,
    opened: 0,
  };
}
