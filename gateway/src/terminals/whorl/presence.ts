import { codeOf, describe, rollCall } from '@whorl/protocol';
import type { Cancel, Clock, Random } from '@whorl/protocol';
import { answerOf, RefusedError } from '../../lines/answer.ts';
import type { Outcome, RollOutcome } from '../../lines/job.ts';
import type { Line } from '../../lines/line.ts';
import type { Gate } from '../../lines/gate.ts';
import { greet } from './greeting.ts';
import { GroupKey } from './group-key.ts';
import type { KeyRing } from './key-ring.ts';
import { FIRST_GREETING_MS, LAST_GREETING_MS, seatOf } from './seat.ts';
import type { Member, Seat } from './seat.ts';

/** A terminal that has a connection for itself says by itself that it has logs: polls only show that it is there. */
const POLL_MS = 1_000;
/** One that did not answer is asked again so soon. */
const POLL_AGAIN_MS = 200;
/** On a shared line, hands can be raised so often while it is idle, and while it is busy, within long transfers too. */
const IDLE_INVITATION_MS = 40;
const BUSY_INVITATION_MS = 60;
/** A busy line is looked at again this often. */
const LOOK_AGAIN_MS = 10;
/** What one terminal is asked for at once, when nobody else waits for the line. */
const ALONE_TURN_MS = 300;
/** A roll call so often, and sooner after one in which somebody was missing. */
const ROLL_MS = 1_000;
const BUSY_ROLL_MS = 4_000;
const ROLL_AGAIN_MS = 250;
/** Silence this often, then a terminal counts as gone. */
const SILENT_POLLS = 3;
/** A session and the key for broadcasts are renewed this often: a stolen key opens a day at most. */
const DAY_MS = 24 * 3_600_000;
/** Who is in quarantine is asked again so often whether it has been paired. */
const QUARANTINE_MS = 1_000;

export interface PresenceParts {
  readonly line: Line;
  readonly keys: KeyRing;
  /** Makes keys: must not be guessed. */
  readonly random: Random;
  /** Of all lines. */
  readonly handshakes: Gate;
  /** How old sessions become; a day unless it is said. */
  readonly renewalMs?: number | undefined;
}

/**
 * Keeps the round over the terminals of a line: greets those that do not answer, polls the one that has a connection
 * for itself; on a shared line invites those who have logs and calls the roll. One thing at a time, and with callbacks
 * only: it happens dozens of times a second, for years.
 */
export class Presence {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #seats: Seat[] = [];
  #timer: Cancel | undefined;
  readonly #keys: KeyRing;
  readonly #handshakes: Gate;
  readonly #renewalMs: number;
  readonly #random: Random;
  readonly #group: GroupKey;
  #asking = false;
  #open = false;
  #rollDue = 0;
  #rolls = 0;

  constructor({ line, keys, random, handshakes, renewalMs = DAY_MS }: PresenceParts) {
    this.#line = line;
    this.#renewalMs = renewalMs;
    this.#clock = line.clock;
    this.#keys = keys;
    this.#handshakes = handshakes;
    this.#random = random;
    this.#group = new GroupKey({ line, random, renewalMs });
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
      hand: (address) => {
        this.#handRaised(address);
      },
      ended: () => {
        this.#stop();
      },
    });
  }

  add(member: Member): void {
    this.#seats.push(seatOf(member));
  }

  /** Greets a terminal at once: it forgot the session. */
  again(member: Member, reason: string): void {
    const seat = this.#seats.find((one) => one.member === member);
    if (seat === undefined) return;
    if (member.isOnline()) member.lost(reason);
    seat.due = this.#clock.now();
    this.#schedule();
  }

  /** Ends the session of a terminal that may not be here any more: it hears nothing of the line from now on. */
  revoke(member: Member, reason: string): void {
    this.#group.replace();
    this.again(member, reason);
  }

  #start(): void {
    this.#open = true;
    // Fresh at every opening, so that no counter has to outlive anything.
    this.#group.replace();
    this.#rollDue = this.#clock.now();
    for (const seat of this.#seats) {
      seat.due = this.#clock.now();
      seat.silent = 0;
      seat.retryMs = FIRST_GREETING_MS;
      seat.visited = false;
    }
    this.#line.isSettling = true;
    this.#schedule();
  }

  #stop(): void {
    this.#open = false;
    this.#line.isSettling = false;
    this.#timer?.();
    this.#timer = undefined;
  }

  #schedule(): void {
    if (!this.#open || this.#asking) return;
    this.#timer?.();
    const now = this.#clock.now();
    // Who is here can be handed the key at once.
    this.#group.renewWhenDue();
    const { seat, inviteAt, rollAt } = this.#next();
    const wait = Math.min(seat?.due ?? Number.POSITIVE_INFINITY, inviteAt, rollAt) - now;
    if (wait > 0) {
      if (wait === Number.POSITIVE_INFINITY) return;
      this.#timer = this.#clock.after(wait, () => {
        this.#timer = undefined;
        this.#schedule();
      });
      return;
    }
    if (rollAt <= now) this.#callRoll();
    else if (inviteAt <= now) this.#invite();
    else if (seat !== undefined) this.#visit(seat);
  }

  /** What comes next of each kind, and when. */
  #next(): { seat: Seat | undefined; inviteAt: number; rollAt: number } {
    const never = Number.POSITIVE_INFINITY;
    const shared = this.#line.timing.baud !== undefined;
    let seat: Seat | undefined;
    let online = 0;
    let called = 0;
    for (const one of this.#seats) {
      const isOnline = one.member.isOnline();
      if (isOnline) online += 1;
      if (this.#isCalled(one)) called += 1;
      if (shared && isOnline && !one.missed && !one.alone && !this.#isStale(one)) continue;
      if (seat === undefined || one.due < seat.due) seat = one;
    }
    if (!shared || online === 0) return { seat, inviteAt: never, rollAt: never };
    const turnMs = online > 1 ? BUSY_INVITATION_MS : ALONE_TURN_MS;
    this.#line.setCompany(online, { inviteMs: BUSY_INVITATION_MS, turnMs });
    // Right after the key for broadcasts was renewed, nobody who is here understands a call yet.
    return { seat, inviteAt: this.#inviteAt(), rollAt: called === 0 ? never : this.#rollDue };
  }

  /** Whether it understands a roll call. */
  #isCalled(seat: Seat): boolean {
    return seat.member.isOnline() && this.#group.isWith(seat);
  }

  /** Whether it needs a new session, or the key for broadcasts. */
  #isStale(seat: Seat): boolean {
    return this.#group.isLackedBy(seat) || this.#isOld(seat);
  }

  #isOld({ opened }: Seat): boolean {
    return this.#clock.now() - opened >= this.#renewalMs;
  }

  /** Whether the line is still busy is looked at again soon: what it waited for may be over. */
  #inviteAt(): number {
    const idleAt = this.#line.invitedAt + IDLE_INVITATION_MS;
    const now = this.#clock.now();
    if (this.#line.waiting === 0 || idleAt > now) return idleAt;
    const busyAt = this.#line.invitedAt + BUSY_INVITATION_MS;
    return busyAt <= now ? busyAt : Math.min(busyAt, now + LOOK_AGAIN_MS);
  }

  #invite(): void {
    this.#asking = true;
    const settle = (outcome: Outcome): void => {
      this.#asking = false;
      if (outcome.kind !== 'failed') this.#schedule();
    };
    this.#line.add({ invitation: true, priority: 'live', settle });
  }

  #handRaised(address: number | undefined): void {
    if (address === undefined) {
      // Several at once: who they are, a roll call tells, but of those who do not understand it.
      this.#rollDue = this.#clock.now();
      for (const seat of this.#seats)
        if (seat.member.isOnline() && !this.#isCalled(seat)) seat.member.raised();
      this.#schedule();
      return;
    }
    const seat = this.#seats.find((one) => one.member.peer.address === address);
    if (seat?.member.isOnline() === true) seat.member.raised();
  }

  #callRoll(): void {
    const { baud } = this.#line.timing;
    if (baud === undefined) return;
    const seats = this.#seats.filter((seat) => this.#isCalled(seat));
    const members = seats.map((seat) => seat.member.peer);
    this.#asking = true;
    this.#rolls += 1;
    const settle = (outcome: RollOutcome): void => {
      this.#asking = false;
      if (outcome.kind === 'failed') return;
      this.#called(seats, outcome.present);
      this.#schedule();
    };
    const addresses = members.map((peer) => peer.address);
    const body = rollCall(this.#rolls, addresses, { ...this.#line.timing, baud });
    this.#line.add({ group: this.#line.group, members, body, priority: 'live', settle });
  }

  #called(seats: readonly Seat[], present: ReadonlyMap<number, boolean>): void {
    let missing = false;
    for (const seat of seats) {
      const attention = present.get(seat.member.peer.address);
      if (attention === undefined) {
        // Perhaps another one spoke in its slot, and will again: it is asked alone.
        missing = true;
        seat.missed = true;
        seat.due = this.#clock.now();
      } else if (seat.member.isOnline()) {
        seat.silent = 0;
        seat.missed = false;
        seat.member.alive(attention);
      }
    }
    const usual = this.#line.waiting === 0 ? ROLL_MS : BUSY_ROLL_MS;
    this.#rollDue = this.#clock.now() + (missing ? ROLL_AGAIN_MS : usual);
  }

  #visit(seat: Seat): void {
    this.#asking = true;
    if (!seat.member.isOnline() || this.#isStale(seat)) void this.#meet(seat);
    else this.#poll(seat);
  }

  #poll(seat: Seat): void {
    seat.missed = false;
    const { peer } = seat.member;
    const plan = { tries: 1, frames: 1 };
    const settle = (outcome: Outcome): void => {
      this.#asking = false;
      if (outcome.kind === 'failed') this.#missed(seat, outcome.error);
      else this.#answered(seat, outcome);
      this.#schedule();
    };
    this.#line.add({ peer, name: 'poll', body: {}, priority: 'live', plain: false, plan, settle });
  }

  async #meet(seat: Seat): Promise<void> {
    try {
      // A key first, also in an old session that still serves: until somebody has it, nobody understands what is said to all.
      const serves = seat.silent === 0 || !this.#isOld(seat);
      if (seat.member.isOnline() && this.#group.isLackedBy(seat) && serves) await this.#group.handOver(seat);
      else await this.#greet(seat);
    } catch (error) {
      this.#missed(seat, error instanceof Error ? error : new Error(String(error)));
    }
    // What an adapter still had to say when the line was opened can cost everyone the first greeting.
    seat.visited ||= seat.silent !== 1;
    this.#line.isSettling = this.#open && this.#seats.some(({ visited }) => !visited);
    this.#asking = false;
    this.#schedule();
  }

  /** Opens a session. For one who is here and has an old one work goes on, but for what it offered. */
  async #greet(seat: Seat): Promise<void> {
    const { member } = seat;
    const parts = { line: this.#line, keys: this.#keys, random: this.#random, handshakes: this.#handshakes };
    const greeting = await greet({ ...parts, peer: member.peer, terminal: member.name });
    if (greeting.kind === 'quarantined') {
      if (member.isOnline()) member.lost(greeting.reason);
      member.quarantined(greeting.serial, greeting.reason);
      // It has answered: whoever waits for everyone to be greeted need not wait for it.
      seat.silent = 0;
      seat.due = this.#clock.now() + QUARANTINE_MS;
      return;
    }
    seat.opened = this.#clock.now();
    seat.group = undefined;
    seat.alone = false;
    // Before it is handed the key: what it is asked meanwhile, it answers in the new session.
    if (member.isOnline()) member.renewed(greeting.welcome);
    await this.#group.handOver(seat);
    seat.silent = 0;
    seat.retryMs = FIRST_GREETING_MS;
    seat.due = this.#clock.now() + POLL_MS;
    if (this.#open && !member.isOnline()) member.greeted(greeting.welcome, greeting.attention);
  }

  #answered(seat: Seat, outcome: Outcome): void {
    try {
      seat.member.alive(answerOf('poll', outcome).attention);
      seat.silent = 0;
      seat.due = this.#clock.now() + POLL_MS;
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
    if (!seat.member.isOnline()) this.#tryLater(seat);
    else if (seat.silent < SILENT_POLLS) seat.due = now + POLL_AGAIN_MS;
    else this.#gone(seat);
    this.#suspectConnection();
  }

  #gone(seat: Seat): void {
    this.#group.gone();
    seat.member.lost(`no answer, asked ${SILENT_POLLS} times; check its power, address and wiring`);
    this.#tryLater(seat);
  }

  /** In noise nobody can answer: that is no reason to ask less often, or all would stay away when it ends. */
  #tryLater(seat: Seat): void {
    const { noise } = this.#line;
    seat.retryMs = noise > seat.noise ? FIRST_GREETING_MS : Math.min(2 * seat.retryMs, LAST_GREETING_MS);
    seat.noise = noise;
    seat.due = this.#clock.now() + seat.retryMs;
  }

  /** A TCP connection over which nobody answers is half-open: only a new one can tell. */
  #suspectConnection(): void {
    if (this.#line.timing.baud === undefined && this.#seats.every((seat) => seat.silent >= SILENT_POLLS))
      this.#line.reopen('nobody answers over this connection; dialling again');
  }
}
