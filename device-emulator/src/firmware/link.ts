import {
  AnswerMemory,
  BROADCAST,
  CATALOGUE,
  codeOf,
  epochOf,
  groupSession,
  handWire,
  hereWire,
  isMember,
  keyId,
  KEY_ID_BYTES,
  plainSession,
  readHeader,
  slotOf,
  toWire,
  unstuff,
} from '@whorl/protocol';
import type {
  Body,
  Capabilities,
  GroupKey,
  Message,
  MessageName,
  Opened,
  Random,
  Refusal,
  Session,
  SlotAnswer,
} from '@whorl/protocol';
import { answer } from './answers.ts';
import type { Answer } from './answers.ts';
import type { Call } from './call.ts';
import type { Conversation, Desk } from './desk.ts';
import { accept } from './handshake.ts';
import { openShared } from './incoming.ts';
import type { TellKeys } from './handshake.ts';
import type { LinkCounters } from './link-counters.ts';
import type { Model } from './model.ts';
import { Offers } from './offers.ts';
import type { Pairing } from './pairing.ts';
import type { Portable } from './portable/portable.ts';
import { unknownTo } from './quirks.ts';
import { read, tryOpen, tryOpenCall } from './reading.ts';
import type { Store } from './store.ts';

/** What is reckoned with keys. */
const HANDSHAKES: ReadonlySet<MessageName> = new Set(['session.open', 'pair.begin', 'pair.open']);
/** What everyone may do to a whole line: nothing of it changes what a terminal holds. */
const broadcasts: ReadonlySet<MessageName> = new Set(['transfer.announce', 'chunk']);

export interface LinkOptions {
  readonly address: number;
  readonly serial: string;
  readonly model: Model;
  readonly store: Store;
  readonly random: Random;
  readonly pairing: Pairing;
  readonly portable: Portable | undefined;
  readonly tellKeys?: TellKeys | undefined;
  readonly refuses?: Desk['refuses'];
  /** What it cannot do although it says so. */
  readonly lacks: Iterable<Partial<Capabilities>>;
}

const NOTHING: readonly Uint8Array[] = [];
const NO_KEY = new Uint8Array(KEY_ID_BYTES);

/** A terminal's end of the line from one start to the next: frames in, frames out. */
export class Link {
  readonly counters: LinkCounters = {
    requests: 0,
    repeated: 0,
    refused: 0,
    bad: 0,
    replayed: 0,
    foreign: 0,
    broadcasts: 0,
    sessions: 0,
  };
  readonly #address: number;
  readonly #random: Random;
  readonly #parts: Pick<Desk, 'serial' | 'model' | 'store' | 'lacks' | 'portable' | 'refuses'>;
  readonly #tellKeys: TellKeys | undefined;
  readonly #pairing: Pairing;
  readonly #plain: AnswerMemory;
  readonly #memory: AnswerMemory;
  readonly #hand: Uint8Array;
  readonly #unknown: ReadonlySet<MessageName>;
  /** Steps of handshakes that it has reckoned. */
  handshakes = 0;
  /** The session of the moment. */
  #conversation: Conversation | undefined;
  /** A session that was opened and of which no frame has come yet: only that proves that it is not a played one. */
  #candidate: Session | undefined;
  /** The session in which a pairing key is handed over. */
  #pairingSession: Session | undefined;
  /** Number of the last roll call that was answered in this session. */
  #rolled = 0;

  constructor(options: LinkOptions) {
    const { address, serial, model, store, random, pairing, lacks, portable, refuses } = options;
    this.#pairing = pairing;
    this.#address = address;
    this.#random = random;
    this.#hand = handWire(address);
    this.#unknown = unknownTo(model.quirks);
    this.#parts = { serial, model, store, lacks, portable, refuses };
    this.#tellKeys = options.tellKeys;
    this.#plain = new AnswerMemory(1);
    this.#memory = new AnswerMemory(model.capabilities.window);
  }

  /**
   * Takes what stood between two delimiters.
   * @returns the frames that answer it, as they go over the wire
   * @throws PowerCut
   */
  hear(stuffed: Uint8Array): readonly Uint8Array[] {
    if (this.#isDeaf) return NOTHING;
    const bytes = this.#sound(stuffed, () => unstuff(stuffed));
    if (bytes === undefined) return NOTHING;
    const header = readHeader(bytes);
    if (header.fromTerminal || header.address !== this.#address) {
      this.counters.foreign += 1;
      return NOTHING;
    }
    return header.sealed ? this.#hearSealed(bytes) : this.#hearPlain(bytes);
  }

  /**
   * Takes what is for all terminals of the line.
   * @returns what it says in its slot, if anything
   * @throws PowerCut
   */
  hearCall(call: Call): SlotAnswer | undefined {
    if (this.#isDeaf) return undefined;
    const conversation = this.#conversation;
    if (this.#sound(call.stuffed, () => call.frame) === undefined || conversation?.group === undefined)
      return undefined;
    const frame = tryOpenCall(conversation.group, call);
    if (frame === undefined) {
      this.counters.bad += 1;
      return undefined;
    }
    if (frame.address !== BROADCAST || !frame.fresh) {
      this.counters.replayed += 1;
      return undefined;
    }
    this.counters.requests += 1;
    const message = read(frame.payload, this.#unknown, call.decode);
    if (typeof message === 'string') return undefined;
    if (message.name === 'roll.call') return this.#here(conversation, message.body);
    this.counters.broadcasts += 1;
    const meant = !('members' in message.body) || isMember(message.body, this.#address);
    if (!meant || !broadcasts.has(message.name)) return undefined;
    const clear = message.name === 'chunk' ? openShared(conversation.shared, message) : message;
    if (clear === undefined) this.counters.bad += 1;
    else this.#answer(conversation, frame, clear);
    return undefined;
  }

  /** Its raised hand, when it has logs that the gateway has not read. */
  hand(): Uint8Array | undefined {
    return !this.#isDeaf && this.#conversation !== undefined && this.#hasNews(this.#conversation)
      ? this.#hand
      : undefined;
  }

  /** A portable terminal that is offline is not on the line. */
  get #isDeaf(): boolean {
    return this.#parts.portable?.isOnLine === false;
  }

  #hearPlain(bytes: Uint8Array): readonly Uint8Array[] {
    const frame = this.#opened(plainSession, bytes);
    if (frame === undefined) return NOTHING;
    this.counters.requests += 1;
    const known = this.#plain.repeated(frame.sequence, frame.payload);
    if (known !== undefined) return known;
    const message = read(frame.payload, this.#unknown);
    const said = typeof message === 'string' ? undefined : this.#answerPlain(message);
    if (said === undefined) return NOTHING;
    if (said.name === 'refused') this.counters.refused += 1;
    const header = { address: this.#address, sequence: frame.sequence, fromTerminal: true, attention: false };
    const body = said.name === 'refused' ? { ...said.body, request: frame.payload[0] ?? 0 } : said.body;
    const frames = [toWire(plainSession, header, said.name, body)];
    if (said.name !== 'present') this.#plain.keep(frame.sequence, frame.payload, frames);
    return frames;
  }

  /** What is said before there is a session; nothing for a handshake that fails: whoever began it is not told why. */
  #answerPlain(message: Message): Message | undefined {
    if (HANDSHAKES.has(message.name)) this.handshakes += 1;
    switch (message.name) {
      case 'discover': {
        const { key } = this.#parts.store.state;
        const body = { serial: this.#parts.serial, key: key === undefined ? NO_KEY : keyId(key) };
        return { name: 'present', body };
      }
      case 'session.open': {
        const parts = {
          ...this.#parts,
          address: this.#address,
          random: this.#random,
          tellKeys: this.#tellKeys,
        };
        const accepted = accept(parts, message.body);
        if (accepted === undefined) {
          this.counters.bad += 1;
          return undefined;
        }
        this.#candidate = accepted.session;
        return { name: 'session.accept', body: { handshake: accepted.answer } };
      }
      case 'pair.begin': {
        const share = this.#pairing.begin(message.body);
        return share === undefined ? refusal('not-pairing') : { name: 'pair.share', body: { share } };
      }
      case 'pair.open': {
        const accepted = this.#pairing.accept(message.body.handshake);
        if (accepted === undefined) return refusal('wrong-code');
        this.#pairingSession = accepted.session;
        return { name: 'pair.accept', body: { handshake: accepted.answer } };
      }
      default:
        return refusal('no-session');
    }
  }

  #hearSealed(bytes: Uint8Array): readonly Uint8Array[] {
    const frame = this.#openSealed(bytes);
    const conversation = this.#conversation;
    if (frame === undefined || conversation === undefined)
      return this.#keepKey(bytes) ?? this.#notUnderstood(bytes);
    this.counters.requests += 1;
    const known = this.#memory.repeated(frame.sequence, frame.payload);
    if (known !== undefined) {
      this.counters.repeated += 1;
      return known;
    }
    const fetch = frame.payload[0] === CATALOGUE['transfer.fetch'].type;
    if (!frame.fresh && !fetch) {
      this.counters.replayed += 1;
      return NOTHING;
    }
    const frames = this.#carryOut(conversation, frame);
    if (frames.length > 0 && !fetch) this.#memory.keep(frame.sequence, frame.payload, frames);
    return frames;
  }

  /** A terminal that lost its session says so: the gateway then opens another one. */
  #notUnderstood(bytes: Uint8Array): readonly Uint8Array[] {
    if (this.#conversation !== undefined || this.#candidate !== undefined) {
      this.counters.bad += 1;
      return NOTHING;
    }
    const { sequence } = readHeader(bytes);
    const header = { address: this.#address, sequence, fromTerminal: true, attention: false };
    return [toWire(plainSession, header, 'refused', { request: 0, reason: 'no-session' })];
  }

  /** The one thing that is done in the session of a pairing. @returns `undefined` for what is not said in it */
  #keepKey(bytes: Uint8Array): readonly Uint8Array[] | undefined {
    const session = this.#pairingSession;
    const frame = session === undefined ? undefined : tryOpen(session, bytes);
    if (session === undefined || frame === undefined) return undefined;
    const message = read(frame.payload, this.#unknown);
    if (typeof message === 'string' || message.name !== 'pair.key') return NOTHING;
    if (frame.fresh) {
      this.#parts.store.change([{ name: 'paired', key: message.body.key }], []);
      this.#pairing.done();
    }
    const header = { address: this.#address, sequence: frame.sequence, fromTerminal: true, attention: false };
    return [toWire(session, header, 'pair.kept', {})];
  }

  #openSealed(bytes: Uint8Array): Opened | undefined {
    const current = this.#conversation;
    if (current !== undefined) {
      const frame = tryOpen(current.session, bytes);
      if (frame !== undefined) return frame;
    }
    const candidate = this.#candidate;
    const frame = candidate === undefined ? undefined : tryOpen(candidate, bytes);
    if (candidate === undefined || frame === undefined) return undefined;
    this.#candidate = undefined;
    this.#begin(candidate);
    return frame;
  }

  /** What was under way on the session of before is nobody's any more. */
  #begin(session: Session): void {
    this.counters.sessions += 1;
    this.#memory.forget();
    this.#rolled = 0;
    const offers = new Offers(this.#random.below(0x1_0000));
    this.#conversation = {
      session,
      offers,
      group: undefined,
      shared: new Map(),
      readTo: 0,
      slice: false,
      pages: { tasks: [], operators: [] },
    };
  }

  #join(conversation: Conversation, group: GroupKey): void {
    const key = group.key.slice();
    conversation.group = groupSession('terminal', { key, next: group.next });
    this.#tellKeys?.({ kind: 'group', epoch: epochOf(group.next), key });
  }

  /** A number that was called before is not answered: what proves an answer must not be had for two of them. */
  #here(conversation: Conversation, call: Body<'roll.call'>): SlotAnswer | undefined {
    const afterMs = slotOf(call, this.#address);
    if (afterMs === undefined || call.number <= this.#rolled) return undefined;
    this.#rolled = call.number;
    const news = this.#hasNews(conversation);
    return { wire: hereWire(conversation.session, call.number, this.#address, news), afterMs };
  }

  #hasNews(conversation: Conversation): boolean {
    const { model, store } = this.#parts;
    return model.quirks.has('attention-sticks') || store.state.log.hasNews(conversation.readTo);
  }

  /** What `unstuffed` makes of a frame; `undefined` for what is none, or too long. */
  #sound(stuffed: Uint8Array, unstuffed: () => Uint8Array): Uint8Array | undefined {
    try {
      if (stuffed.length < this.#parts.model.capabilities.mtu) {
        const bytes = unstuffed();
        readHeader(bytes);
        return bytes;
      }
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
    }
    this.counters.bad += 1;
    return undefined;
  }

  #opened(session: Session, bytes: Uint8Array): Opened | undefined {
    const frame = tryOpen(session, bytes);
    if (frame === undefined) this.counters.bad += 1;
    return frame;
  }

  #carryOut(conversation: Conversation, frame: Opened): readonly Uint8Array[] {
    const message = read(frame.payload, this.#unknown);
    const result = typeof message === 'string' ? message : this.#answer(conversation, frame, message);
    if (result === undefined || frame.payload[0] === CATALOGUE.chunk.type) return NOTHING;
    if (typeof result !== 'string') return result instanceof Uint8Array ? [result] : result;
    this.counters.refused += 1;
    const refused = { request: frame.payload[0] ?? 0, reason: result };
    return [this.#reply(conversation, frame, 'refused', refused)];
  }

  #answer(conversation: Conversation, frame: Opened, message: Message): Answer {
    const desk: Desk = {
      ...this.#parts,
      conversation,
      join: (group) => {
        this.#join(conversation, group);
      },
      reply: (name, body) => this.#reply(conversation, frame, name, body),
    };
    try {
      return answer(desk, message);
    } catch (error) {
      if (codeOf(error) === 'FLASH_FAILED') return 'flash-failed';
      throw error;
    }
  }

  #reply<Name extends MessageName>(
    conversation: Conversation,
    { sequence }: Opened,
    name: Name,
    body: Body<Name>,
  ): Uint8Array {
    const attention = this.#hasNews(conversation);
    const header = { address: this.#address, sequence, fromTerminal: true, attention };
    return toWire(conversation.session, header, name, body);
  }
}

function refusal(reason: Refusal): Message {
  return { name: 'refused', body: { request: 0, reason } };
}
