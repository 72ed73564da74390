import { codeOf, describe } from '@whorl/protocol';
import type { Body, Cancel, Clock } from '@whorl/protocol';
import { answerOf, RefusedError } from '../../lines/answer.ts';
import type { Outcome } from '../../lines/job.ts';
import type { Line } from '../../lines/line.ts';
import type { Peer } from '../../lines/peer.ts';

/** One terminal in the round. */
export interface Member {
  readonly peer: Peer;
  /** Greeted and answering. */
  isOnline(): boolean;
  greeted(welcome: Body<'welcome'>, attention: boolean): void;
  /** It answered a poll. */
  alive(attention: boolean): void;
  /** It does not answer any more, or forgot the session. */
  lost(reason: string): void;
}

interface Seat {
  readonly member: Member;
  due: number;
  /** Exchanges in a row without an answer. */
  silent: number;
  retryMs: number;
}

/** An idle terminal is asked so often: on a line of few, an event waits no longer; a line of many goes round and round. */
const IDLE_POLL_MS = 40;
const IDLE_POLL_TCP_MS = 200;
/** While others use the line, polls take at most about a quarter of it. */
const BUSY_POLL_MS = 250;
const BUSY_SHARE = 4;
/** Silence this often, then a terminal counts as gone. */
const SILENT_POLLS = 3;
/** A silent terminal is tried again with back-off, so that it does not cost its neighbours their turns. */
const FIRST_GREETING_MS = 250;
const LAST_GREETING_MS = 2_000;

/**
 * Keeps the round over the terminals of a line: greets those that do not answer, polls those that do, one at a time.
 * Works with callbacks only: it happens hundreds of times a second, for years.
 */
export class Presence {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #seats: Seat[] = [];
  #timer: Cancel | undefined;
  #asking = false;
  #open = false;

  constructor(line: Line) {
    this.#line = line;
    this.#clock = line.clock;
    line.watch({
      opened: () => {
        this.#start();
      },
      closed: (reason) => {
        this.#stop();
        for (const { member } of this.#seats) {
          if (member.isOnline()) member.lost(`line ${line.name}: ${reason}`);
        }
      },
      ended: () => {
        this.#stop();
      },
    });
  }

  add(member: Member): void {
    this.#seats.push({ member, due: 0, silent: 0, retryMs: FIRST_GREETING_MS });
  }

  /** Greets a terminal at once: it forgot the session. */
  again(member: Member, reason: string): void {
    const seat = this.#seats.find((one) => one.member === member);
    if (seat === undefined) return;
    if (member.isOnline()) member.lost(reason);
    seat.due = this.#clock.now();
    this.#schedule();
  }

  #start(): void {
    this.#open = true;
    for (const seat of this.#seats) {
      seat.due = this.#clock.now();
      seat.silent = 0;
      seat.retryMs = FIRST_GREETING_MS;
    }
    this.#schedule();
  }

  #stop(): void {
    this.#open = false;
    this.#timer?.();
    this.#timer = undefined;
  }

  #schedule(): void {
    if (!this.#open || this.#asking) return;
    let next: Seat | undefined;
    for (const seat of this.#seats) if (next === undefined || seat.due < next.due) next = seat;
    if (next === undefined) return;
    this.#timer?.();
    const wait = next.due - this.#clock.now();
    if (wait <= 0) {
      this.#visit(next);
      return;
    }
    this.#timer = this.#clock.after(wait, () => {
      this.#timer = undefined;
      this.#schedule();
    });
  }

  #visit(seat: Seat): void {
    this.#asking = true;
    const online = seat.member.isOnline();
    const settle = (outcome: Outcome): void => {
      this.#asking = false;
      if (outcome.kind === 'failed') this.#missed(seat, outcome.error);
      else this.#answered(seat, outcome, online);
      this.#schedule();
    };
    const { peer } = seat.member;
    const plan = { tries: 1, frames: 1 };
    if (online) this.#line.add({ peer, name: 'poll', body: {}, priority: 'live', plan, settle });
    else
      this.#line.add({
        peer,
        name: 'hello',
        body: { nonce: this.#nonce(peer) },
        priority: 'live',
        plan,
        settle,
      });
  }

  /** Fresh enough: a terminal only has to tell a new greeting from a repeated one. */
  #nonce(peer: Peer): number {
    return (Math.floor(this.#clock.wallTime() / 4) ^ (peer.nextSequence() << 16)) >>> 0;
  }

  #answered(seat: Seat, outcome: Outcome, wasOnline: boolean): void {
    try {
      if (wasOnline) seat.member.alive(answerOf('poll', outcome).attention);
      else {
        const { body, attention } = answerOf('hello', outcome);
        seat.member.greeted(body, attention);
      }
      seat.silent = 0;
      seat.retryMs = FIRST_GREETING_MS;
      seat.due = this.#clock.now() + this.#pace();
    } catch (error) {
      seat.due = this.#clock.now() + (error instanceof RefusedError ? 0 : seat.retryMs);
      if (seat.member.isOnline())
        seat.member.lost(error instanceof RefusedError ? 'it started anew' : describe(error));
    }
  }

  #missed(seat: Seat, error: Error): void {
    const now = this.#clock.now();
    if (codeOf(error) === 'LINE_CLOSED') {
      seat.due = now + seat.retryMs;
      return;
    }
    seat.silent += 1;
    if (seat.member.isOnline() && seat.silent < SILENT_POLLS) {
      seat.due = now + this.#pace();
      return;
    }
    if (seat.member.isOnline())
      seat.member.lost(`no answer, asked ${SILENT_POLLS} times; check its power, address and wiring`);
    seat.due = now + seat.retryMs;
    seat.retryMs = Math.min(2 * seat.retryMs, LAST_GREETING_MS);
    this.#suspectConnection();
  }

  /** A TCP connection over which nobody answers is half-open: only a new one can tell. */
  #suspectConnection(): void {
    if (this.#line.timing.baud === undefined && this.#seats.every((seat) => seat.silent >= SILENT_POLLS)) {
      this.#line.reopen('nobody answers over this connection; dialling again');
    }
  }

  #pace(): number {
    const tcp = this.#line.timing.baud === undefined;
    if (this.#line.waiting === 0) return tcp ? IDLE_POLL_TCP_MS : IDLE_POLL_MS;
    const roundTrip = this.#line.status().roundTripMs ?? 0;
    return Math.max(BUSY_POLL_MS, Math.min(1000, this.#seats.length * BUSY_SHARE * Math.min(roundTrip, 10)));
  }
}
