import {
  ask,
  ASK_START,
  HEADER_BYTES,
  INVITATION_WIRE,
  isShort,
  MTU_MAX,
  plainSession,
  readHand,
  readHeader,
  REFUSALS,
  rollMs,
  rowOf,
  SHORT_WIRE_BYTES,
  toWire,
  unstuff,
  WhorlError,
} from '@whorl/protocol';
import type { AskOutput, Cancel, Clock, FrameHeader, LineTiming, Opened, Session } from '@whorl/protocol';
import type { Invitation, Job, RollCall, Talk } from './job.ts';
import { LoanTurn } from './loan-turn.ts';
import { lately } from './mean.ts';
import { patience, slotPatienceMs } from './patience.ts';
import { isUrgent } from './priority.ts';
import { JobQueue } from './queue.ts';
import { RollTurn } from './roll-turn.ts';
import type { LineCounters } from './status.ts';
import type { Transport } from './transport.ts';
import type { Turn } from './turn.ts';
import { Wire } from './wire.ts';

/**
 * How far ahead of the wire bytes may be handed over: what waits in the adapter keeps a burst without gaps, though
 * timers count whole milliseconds, and is little enough that a live event need not wait for it.
 */
const AHEAD_MS = 15;

/** Between the end of a raised hand and what comes behind its slot. */
const SLOT_GUARD_BYTES = 1;

export interface TurnsParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timing: LineTiming;
  readonly counters: LineCounters;
  /** A terminal raised its hand; `undefined` when several did at once, and none was understood. */
  readonly hand: (address: number | undefined) => void;
}

/**
 * Gives turns on one open line: one exchange at a time on a shared line, up to a window of them elsewhere. Runs the
 * exchange machine of the protocol for each turn and counts what happens. Lives as long as the connection.
 */
export class Turns {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #timing: LineTiming;
  readonly #counters: LineCounters;
  readonly #hand: TurnsParts['hand'];
  readonly #queue = new JobQueue();
  readonly #turns = new Map<number, Turn>();
  readonly #parts: TurnsParts;
  #roll: RollTurn | undefined;
  /** Another protocol has the wire. */
  #loan: LoanTurn | undefined;
  #window = 1;
  /** How often those who have logs are invited while frames go out that nobody answers; `undefined` for never. */
  inviteEveryMs: number | undefined;
  #invitedAt = Number.NEGATIVE_INFINITY;
  /** A hand may be raised now. */
  #slotOpen = false;
  #pause: Cancel | undefined;
  #closed = false;
  roundTripMs: number | undefined;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    this.#wire = new Wire(parts);
    this.#clock = parts.clock;
    this.#timing = parts.timing;
    this.#counters = parts.counters;
    this.#hand = parts.hand;
  }

  /** When hands could be raised last, on the line's clock. */
  get invitedAt(): number {
    return this.#invitedAt;
  }

  /** Milliseconds in which bytes were on their way. */
  get busyMs(): number {
    return this.#wire.busyMs;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Exchanges that may be under way at once; only a line that is not shared takes more than one. */
  set window(window: number) {
    this.#window = this.#timing.baud === undefined ? window : 1;
  }

  add(job: Job): void {
    this.#queue.add(job);
    this.#next();
  }

  /** Takes back a job that has not had its turn; answers whether it was in time. */
  remove(job: Job): boolean {
    return this.#queue.remove(job);
  }

  /** Settles everything that waits or is under way. */
  close(error: Error): void {
    this.#closed = true;
    this.#pause?.();
    const turns = [...this.#turns.values()];
    this.#turns.clear();
    for (const turn of turns) {
      turn.timer?.();
      turn.job.settle({ kind: 'failed', error });
    }
    this.#roll?.timer?.();
    this.#roll?.job.settle({ kind: 'failed', error });
    this.#roll = undefined;
    this.#loan?.fail(error);
    for (const job of this.#queue.drain()) job.settle({ kind: 'failed', error });
  }

  /** Takes what stood between two delimiters on the wire. */
  frame(stuffed: Uint8Array): void {
    this.#wire.busyMs += this.#wire.byteTimes(stuffed.length + 1);
    try {
      const bytes = unstuff(stuffed);
      if (isShort(bytes)) this.#receivedShort(bytes);
      else this.#received(bytes);
    } catch (error) {
      if (!(error instanceof WhorlError)) throw error;
      this.#wire.spoilt();
      this.#garbled();
      if (this.#slotOpen) this.#hand(undefined);
      this.#counters.framesBad += 1;
      this.#counters.bytesDiscarded += stuffed.length + 1;
    }
  }

  #received(bytes: Uint8Array): void {
    const header = readHeader(bytes);
    const turn = this.#turns.get((header.address << 16) | header.sequence);
    if (turn === undefined || !header.fromTerminal || bytes.length <= HEADER_BYTES) {
      this.#counters.framesStray += 1;
      return;
    }
    const frame = this.#open(turn, header, bytes);
    if (!frame.fresh) {
      this.#counters.framesStray += 1;
      return;
    }
    this.#counters.framesIn += 1;
    turn.job.peer.counters.framesIn += 1;
    turn.frames.push(frame);
    const final = frame.payload[0] === REFUSED;
    this.#step(turn, { kind: 'answer', now: this.#clock.now(), final });
  }

  /**
   * In a session nothing plain is taken but a terminal's word that it has lost the session: believed falsely, it costs
   * another handshake.
   */
  #open(turn: Turn, header: FrameHeader, bytes: Uint8Array): Opened {
    if (turn.job.plain || header.sealed) return turn.session.open(bytes);
    const frame = plainSession.open(bytes);
    const [type, , reason] = frame.payload;
    if (type === REFUSED && reason === REFUSALS['no-session']) return frame;
    throw new WhorlError('FRAME_SEALED', `a plain frame in the session of address ${header.address}`);
  }

  /** Only whoever was asked speaks on a shared line: what cannot be understood was its answer. */
  #garbled(): void {
    if (this.#timing.baud === undefined) return;
    for (const turn of this.#turns.values()) {
      turn.job.peer.counters.framesBad += 1;
      this.#step(turn, { kind: 'garbled', now: this.#clock.now() });
    }
  }

  #receivedShort(bytes: Uint8Array): void {
    if (bytes.length === INVITATION_BYTES) {
      this.#counters.framesIn += 1;
      this.#hand(readHand(bytes));
      return;
    }
    const roll = this.#roll;
    if (roll?.take(bytes) !== true) {
      this.#counters.framesStray += 1;
      return;
    }
    this.#counters.framesIn += 1;
    if (roll.complete) this.#endRoll(roll);
  }

  #next(): void {
    while (
      !this.#closed &&
      this.#pause === undefined &&
      this.#roll === undefined &&
      this.#loan === undefined &&
      this.#turns.size < this.#window
    ) {
      const job = this.#queue.next();
      if (job === undefined) return;
      this.#begin(job);
    }
  }

  /** What follows from an answer, such as a greeting's next step, is asked for in a moment: bulk work waits for that. */
  #nextAfter({ priority }: Job): void {
    const next = this.#queue.priority;
    if (this.#window === 1 && isUrgent(priority) && next !== undefined && !isUrgent(next)) this.#pauseFor(0);
    else this.#next();
  }

  #begin(job: Job): void {
    if ('invitation' in job) this.#invite(job);
    else if ('members' in job) this.#callRoll(job);
    else if ('loan' in job) {
      const ended = (): void => {
        this.#loan = undefined;
        this.#next();
      };
      this.#loan = new LoanTurn(job, { ...this.#parts, wire: this.#wire, ended });
    } else this.#talk(job);
  }

  #invite(job: Invitation): void {
    this.#wire.send(INVITATION_WIRE);
    this.#openSlot();
    job.settle({ kind: 'sent' });
  }

  /** Nothing is said until a hand that is raised behind what was sent last has arrived. */
  #openSlot(): void {
    const slot = slotPatienceMs(this.#timing, SHORT_WIRE_BYTES + SLOT_GUARD_BYTES);
    this.#invitedAt = this.#wire.freeAt;
    this.#slotOpen = true;
    this.#pauseFor(this.#wire.freeAt + slot - this.#clock.now());
  }

  #callRoll(job: RollCall): void {
    const roll = new RollTurn(job);
    const { session, sequence } = job.group.next(false);
    const header = { address: job.group.address, sequence, fromTerminal: false, attention: false };
    this.#roll = roll;
    this.#counters.exchanges += 1;
    this.#wire.send(toWire(session, header, 'roll.call', job.body));
    const { turnaroundMs, latencyMs } = this.#timing;
    const slots = rollMs(job.body, job.members.length);
    const end = this.#wire.freeAt + turnaroundMs + slots + latencyMs;
    roll.timer = this.#clock.after(end - this.#clock.now(), () => this.#endRoll(roll));
  }

  #endRoll(roll: RollTurn): void {
    roll.timer?.();
    this.#roll = undefined;
    if (!roll.complete) this.#wire.spoilt();
    roll.job.settle({ kind: 'called', present: roll.present });
    this.#next();
  }

  #talk(job: Talk): void {
    let wire: Uint8Array;
    let sequence: number;
    let session: Session;
    const invite = job.plan === undefined && this.#isInvitationDue();
    try {
      ({ session, sequence } = job.peer.next(job.plain));
      const header = { address: job.peer.address, sequence, fromTerminal: false, attention: false, invite };
      wire = toWire(session, header, job.name, job.body);
    } catch (error) {
      job.settle({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
      return;
    }
    if (job.plan === undefined) {
      this.#wire.send(wire);
      if (invite) this.#openSlot();
      else this.#holdBack();
      job.settle({ kind: 'sent' });
      return;
    }
    const plan = { ...job.plan, ...patience(this.#timing, job.name, job.plan.frames) };
    const turn: Turn = {
      job,
      session,
      plan,
      sequence,
      wire,
      frames: [],
      began: this.#clock.now(),
      state: ASK_START,
      timer: undefined,
    };
    this.#turns.set((job.peer.address << 16) | sequence, turn);
    this.#counters.exchanges += 1;
    job.peer.counters.exchanges += 1;
    this.#write(turn);
  }

  /** Whether to invite behind the next frame: behind the one after it would be too late. */
  #isInvitationDue(): boolean {
    const since = Math.max(this.#wire.freeAt, this.#clock.now()) - this.#invitedAt;
    return this.inviteEveryMs !== undefined && since + this.#wire.byteTimes(2 * MTU_MAX) > this.inviteEveryMs;
  }

  #write(turn: Turn): void {
    const attempt = turn.state.kind === 'writing' ? turn.state.attempt : 0;
    this.#wire.send(turn.wire, () => {
      if (turn.state.kind !== 'writing' || turn.state.attempt !== attempt) return;
      this.#step(turn, { kind: 'written', now: Math.max(this.#clock.now(), this.#wire.freeAt) });
    });
  }

  /** After unanswered frames the wire is still busy: the next turn comes when little is left of it. */
  #holdBack(): void {
    const ahead = this.#wire.freeAt - this.#clock.now() - AHEAD_MS;
    if (ahead > 0) this.#pauseFor(ahead);
  }

  #pauseFor(ms: number): void {
    this.#pause = this.#clock.after(ms, () => {
      this.#pause = undefined;
      // Several hands at once spoil each other's ends: nothing has come that could be told from a frame.
      const several = this.#slotOpen && this.#wire.cut();
      this.#slotOpen = false;
      if (several) this.#hand(undefined);
      this.#next();
    });
  }

  #step(turn: Turn, input: Parameters<typeof ask>[2]): void {
    const { state, output } = ask(turn.plan, turn.state, input);
    turn.state = state;
    this.#act(turn, output);
  }

  #act(turn: Turn, output: AskOutput): void {
    switch (output.kind) {
      case 'wait':
        turn.timer?.();
        turn.timer = this.#clock.after(output.deadline - this.#clock.now(), () => {
          this.#step(turn, { kind: 'overdue', now: this.#clock.now() });
        });
        return;
      case 'write':
        this.#counters.retries += 1;
        turn.job.peer.counters.retries += 1;
        this.#wire.spoilt();
        this.#write(turn);
        return;
      case 'answered':
        this.#roundTrip(turn.job.peer, this.#clock.now() - turn.began);
        this.#end(turn);
        turn.job.settle({ kind: 'answered', frames: turn.frames, complete: output.complete });
        this.#nextAfter(turn.job);
        return;
      case 'timeout':
        this.#counters.timeouts += 1;
        turn.job.peer.counters.timeouts += 1;
        this.#wire.spoilt();
        this.#end(turn);
        turn.job.settle({
          kind: 'failed',
          error: new WhorlError(
            'EXCHANGE_TIMEOUT',
            `address ${turn.job.peer.address} did not answer ${turn.job.name}, asked ${turn.plan.tries} times`,
          ),
        });
        this.#next();
        return;
      case 'nothing':
        return;
    }
  }

  #end(turn: Turn): void {
    turn.timer?.();
    this.#turns.delete((turn.job.peer.address << 16) | turn.sequence);
  }

  #roundTrip(peer: Talk['peer'], ms: number): void {
    this.roundTripMs = lately(this.roundTripMs, ms);
    peer.roundTripMs = lately(peer.roundTripMs, ms);
  }
}

const REFUSED = rowOf('refused').type;
/** Of a short frame, its stuffing undone. */
const INVITATION_BYTES = unstuff(INVITATION_WIRE.subarray(0, -1)).length;
