import {
  answerTimeoutMs,
  ask,
  ASK_START,
  decodeMessage,
  HEADER_BYTES,
  MTU_MAX,
  readHeader,
  rowOf,
  toWire,
  unstuff,
  wireMs,
  WhorlError,
} from '@whorl/protocol';
import type { AskOutput, AskPlan, AskState, Cancel, Clock, Frame, LineTiming } from '@whorl/protocol';
import type { Job } from './job.ts';
import { JobQueue } from './queue.ts';
import type { LineCounters } from './status.ts';
import type { Transport } from './transport.ts';

interface Turn {
  readonly job: Job;
  readonly plan: AskPlan;
  readonly sequence: number;
  readonly wire: Uint8Array;
  readonly frames: Frame[];
  readonly began: number;
  state: AskState;
  timer: Cancel | undefined;
}

/**
 * How far ahead of the wire bytes may be handed over: what waits in the adapter keeps a burst without gaps, though
 * timers count whole milliseconds, and is little enough that a live event need not wait for it.
 */
const AHEAD_MS = 15;

/** Most bytes of an answer that is no chunk: what time-outs are computed from. */
const SHORT_ANSWER_BYTES = 64;

/**
 * Gives turns on one open line: one exchange at a time on a shared line, up to a window of them elsewhere. Runs the
 * exchange machine of the protocol for each turn and counts what happens. Lives as long as the connection.
 */
export class Turns {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #timing: LineTiming;
  readonly #counters: LineCounters;
  readonly #queue = new JobQueue();
  readonly #turns = new Map<number, Turn>();
  #window = 1;
  /** When the last byte handed over will have left, by the byte times. */
  #wireFree = 0;
  #pause: Cancel | undefined;
  #closed = false;
  /** Milliseconds in which bytes were on their way. */
  busyMs = 0;
  roundTripMs: number | undefined;

  constructor(parts: { transport: Transport; clock: Clock; timing: LineTiming; counters: LineCounters }) {
    this.#transport = parts.transport;
    this.#clock = parts.clock;
    this.#timing = parts.timing;
    this.#counters = parts.counters;
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
    for (const job of this.#queue.drain()) job.settle({ kind: 'failed', error });
  }

  /** Takes what stood between two delimiters on the wire. */
  frame(stuffed: Uint8Array): void {
    this.busyMs += this.#byteTimes(stuffed.length + 1);
    try {
      this.#received(unstuff(stuffed));
    } catch (error) {
      if (!(error instanceof WhorlError)) throw error;
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
    const frame = turn.job.peer.session.open(bytes);
    this.#counters.framesIn += 1;
    turn.frames.push(frame);
    const final = frame.payload[0] === REFUSED;
    this.#step(turn, { kind: 'answer', now: this.#clock.now(), final });
  }

  #next(): void {
    while (!this.#closed && this.#pause === undefined && this.#turns.size < this.#window) {
      const job = this.#queue.next();
      if (job === undefined) return;
      this.#begin(job);
    }
  }

  #begin(job: Job): void {
    const sequence = job.peer.nextSequence();
    let wire: Uint8Array;
    try {
      const header = { address: job.peer.address, sequence, fromTerminal: false, attention: false };
      wire = toWire(job.peer.session, header, job.name, job.body);
    } catch (error) {
      job.settle({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
      return;
    }
    if (job.plan === undefined) {
      this.#send(wire, () => undefined);
      this.#holdBack();
      job.settle({ kind: 'sent' });
      return;
    }
    const plan = { ...job.plan, ...this.#patience(job, job.plan.frames) };
    const turn: Turn = {
      job,
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
    this.#write(turn);
  }

  #patience(job: Job, frames: number): { timeoutMs: number; nextMs: number } {
    const answerBytes = frames > 1 || LONG_ANSWERS.has(job.name) ? MTU_MAX : SHORT_ANSWER_BYTES;
    const work = rowOf(job.name).work ?? 'memory';
    return {
      timeoutMs: answerTimeoutMs(this.#timing, { requestBytes: 0, answerBytes, work }),
      nextMs: answerTimeoutMs(this.#timing, { requestBytes: 0, answerBytes, work: 'memory' }),
    };
  }

  #write(turn: Turn): void {
    const attempt = turn.state.kind === 'writing' ? turn.state.attempt : 0;
    this.#send(turn.wire, () => {
      if (turn.state.kind !== 'writing' || turn.state.attempt !== attempt) return;
      this.#step(turn, { kind: 'written', now: Math.max(this.#clock.now(), this.#wireFree) });
    });
  }

  #send(wire: Uint8Array, written: () => void): void {
    const time = this.#byteTimes(wire.length);
    this.#wireFree = Math.max(this.#wireFree, this.#clock.now()) + time;
    this.busyMs += time;
    this.#counters.framesOut += 1;
    this.#counters.bytesOut += wire.length;
    this.#transport.write(wire, written);
  }

  /** After unanswered frames the wire is still busy: the next turn comes when little is left of it. */
  #holdBack(): void {
    const ahead = this.#wireFree - this.#clock.now() - AHEAD_MS;
    if (ahead <= 0) return;
    this.#pause = this.#clock.after(ahead, () => {
      this.#pause = undefined;
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
        this.#write(turn);
        return;
      case 'answered':
        this.#roundTrip(this.#clock.now() - turn.began);
        this.#end(turn);
        turn.job.settle({ kind: 'answered', frames: turn.frames, complete: output.complete });
        this.#next();
        return;
      case 'timeout':
        this.#counters.timeouts += 1;
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

  #roundTrip(ms: number): void {
    this.roundTripMs = this.roundTripMs === undefined ? ms : this.roundTripMs + (ms - this.roundTripMs) / 16;
  }

  #byteTimes(bytes: number): number {
    return this.#timing.baud === undefined ? 0 : wireMs(bytes, this.#timing.baud);
  }
}

const REFUSED = rowOf('refused').type;
const LONG_ANSWERS: ReadonlySet<string> = new Set([
  'welcome',
  'hello',
  'logs.read',
  'users.digests',
  'transfer.fetch',
  'transfer.commit',
  'transfer.ask',
  'transfer.begin',
]);

/** Reads an answer's message. @throws WhorlError MESSAGE_* */
export function messageOf(frame: Frame): ReturnType<typeof decodeMessage> {
  return decodeMessage(frame.payload);
}
