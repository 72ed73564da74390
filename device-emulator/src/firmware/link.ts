import {
  AnswerMemory,
  BROADCAST,
  CATALOGUE,
  codeOf,
  decodeMessage,
  fromWire,
  handWire,
  hereWire,
  plainSession,
  slotOf,
  toWire,
} from '@whorl/protocol';
import type { Body, Frame, Message, MessageName, Random, Refusal, SlotAnswer } from '@whorl/protocol';
import { answer } from './answers.ts';
import type { Answer, Conversation, Desk } from './answers.ts';
import type { Model } from './model.ts';
import { Offers } from './offers.ts';
import type { Store } from './store.ts';

/** What a terminal has heard since it started. */
export interface LinkCounters {
  /** Requests for this terminal, repetitions and broadcasts included. */
  requests: number;
  /** Requests that were answered from memory, because they came again. */
  repeated: number;
  refused: number;
  /** Damaged frames. */
  bad: number;
  /** Frames for others, or from other terminals. */
  foreign: number;
}

/** Requests that make sense when all terminals of a line carry them out, and none answers. */
const broadcasts: ReadonlySet<MessageName> = new Set([
  'clock.set',
  'users.remove',
  'transfer.begin',
  'chunk',
  'transfer.commit',
]);

const NOTHING: readonly Uint8Array[] = [];

/** A terminal's end of the line from one start to the next: frames in, frames out. */
export class Link {
  readonly counters: LinkCounters = { requests: 0, repeated: 0, refused: 0, bad: 0, foreign: 0 };
  readonly #address: number;
  readonly #desk: Omit<Desk, 'reply'>;
  readonly #conversation: Conversation;
  readonly #memory: AnswerMemory;
  readonly #hand: Uint8Array;
  /** Number of the last roll call that was answered in this session. */
  #rolled = 0;

  constructor(options: { address: number; serial: string; model: Model; store: Store; random: Random }) {
    const { address, serial, model, store, random } = options;
    this.#address = address;
    this.#hand = handWire(address);
    this.#conversation = {
      session: plainSession,
      offers: new Offers(random.below(0x1_0000)),
      greeted: false,
      readTo: 0,
    };
    this.#memory = new AnswerMemory(model.capabilities.window);
    this.#desk = { serial, model, store, conversation: this.#conversation };
  }

  /**
   * Takes what stood between two delimiters.
   * @returns the frames that answer it, as they go over the wire
   * @throws PowerCut
   */
  hear(stuffed: Uint8Array): readonly Uint8Array[] {
    const frame = this.#open(stuffed);
    if (frame === undefined) return NOTHING;
    const { counters } = this;
    if (frame.fromTerminal || frame.address !== this.#address) {
      counters.foreign += 1;
      return NOTHING;
    }
    counters.requests += 1;
    if (frame.payload[0] === CATALOGUE['transfer.fetch'].type) return this.#carryOut(frame);
    const known = this.#memory.repeated(frame.sequence, frame.payload);
    if (known !== undefined) {
      counters.repeated += 1;
      return known;
    }
    const frames = this.#carryOut(frame);
    if (frames.length > 0) this.#memory.keep(frame.sequence, frame.payload, frames);
    return frames;
  }

  /**
   * Takes what is for all terminals of the line.
   * @returns what it says in its slot, if anything
   * @throws PowerCut
   */
  hearCall(stuffed: Uint8Array): SlotAnswer | undefined {
    const frame = this.#open(stuffed);
    if (frame === undefined) return undefined;
    if (frame.fromTerminal || frame.address !== BROADCAST) {
      this.counters.foreign += 1;
      return undefined;
    }
    this.counters.requests += 1;
    const message = read(frame.payload);
    if (typeof message === 'string' || !this.#conversation.greeted) return undefined;
    if (message.name === 'roll.call') return this.#here(message.body);
    if (broadcasts.has(message.name)) this.#answer(frame, message);
    return undefined;
  }

  /** Its raised hand, when it has logs that the gateway has not read. */
  hand(): Uint8Array | undefined {
    return this.#conversation.greeted && this.#hasNews() ? this.#hand : undefined;
  }

  /** A number that was called before is not answered: what proves an answer must not be had for two of them. */
  #here(call: Body<'roll.call'>): SlotAnswer | undefined {
    const afterMs = slotOf(call, this.#address);
    if (afterMs === undefined || call.number <= this.#rolled) return undefined;
    this.#rolled = call.number;
    const { session } = this.#conversation;
    return { wire: hereWire(session, call.number, this.#address, this.#hasNews()), afterMs };
  }

  #hasNews(): boolean {
    return this.#desk.store.state.log.hasNews(this.#conversation.readTo);
  }

  #open(stuffed: Uint8Array): Frame | undefined {
    try {
      if (stuffed.length < this.#desk.model.capabilities.mtu)
        return fromWire(this.#conversation.session, stuffed);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
    }
    this.counters.bad += 1;
    return undefined;
  }

  #carryOut(frame: Frame): readonly Uint8Array[] {
    const message = read(frame.payload);
    const result = typeof message === 'string' ? message : this.#admit(frame, message);
    if (result === undefined || frame.payload[0] === CATALOGUE.chunk.type) return NOTHING;
    if (typeof result !== 'string') return result instanceof Uint8Array ? [result] : result;
    this.counters.refused += 1;
    return [this.#reply(frame, 'refused', { request: frame.payload[0] ?? 0, reason: result })];
  }

  #admit(frame: Frame, message: Message): Answer {
    if (message.name === 'hello') this.#greet();
    else if (!this.#conversation.greeted) return 'no-session';
    return this.#answer(frame, message);
  }

  /** What was under way with the gateway of before is nobody's any more. */
  #greet(): void {
    this.#memory.forget();
    this.#conversation.offers.clear();
    this.#conversation.greeted = true;
    this.#conversation.readTo = 0;
    this.#rolled = 0;
  }

  #answer(frame: Frame, message: Message): Answer {
    const desk: Desk = { ...this.#desk, reply: (name, body) => this.#reply(frame, name, body) };
    try {
      return answer(desk, message);
    } catch (error) {
      if (codeOf(error) === 'FLASH_FAILED') return 'flash-failed';
      throw error;
    }
  }

  #reply<Name extends MessageName>(frame: Frame, name: Name, body: Body<Name>): Uint8Array {
    const { sequence } = frame;
    const header = { address: this.#address, sequence, fromTerminal: true, attention: this.#hasNews() };
    return toWire(this.#conversation.session, header, name, body);
  }
}

function read(payload: Uint8Array): Message | Refusal {
  try {
    return decodeMessage(payload);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code === 'MESSAGE_UNKNOWN' ? 'unknown-message' : 'malformed';
  }
}
