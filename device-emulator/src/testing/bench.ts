import {
  BROADCAST,
  chunkAt,
  chunkCount,
  decodeMessage,
  digestOf,
  groupSession,
  NoiseInitiator,
  plainSession,
  prologueOf,
  readHeader,
  readRecord,
  encodeUser,
  sealedSession,
  seededRandom,
  stuff,
  stuffedMax,
  toWire,
  unstuff,
  VirtualClock,
  writeBatch,
} from '@whorl/protocol';
import type {
  Body,
  GroupEnd,
  Message,
  MessageName,
  Opened,
  SealedEnd,
  User,
  UserRecord,
} from '@whorl/protocol';
import { addressOf } from '../bus/ear.ts';
import { Call } from '../firmware/call.ts';
import { MemoryFlash } from '../firmware/flash.ts';
import type { Flash } from '../firmware/flash.ts';
import { MODELS } from '../models/built-in.ts';
import type { Model } from '../firmware/model.ts';
import { Terminal } from '../firmware/terminal.ts';

/** For tests: a terminal on a bench, and whoever asks it, with no line between them. */
export interface Bench {
  readonly clock: VirtualClock;
  readonly flash: Flash;
  readonly terminal: Terminal;
  readonly asker: Asker;
}

const ADDRESS = 7;
/** The key that terminals on the bench are paired with. */
export const PAIRING_KEY: Uint8Array = new Uint8Array(32).fill(0x51);

export function bench(
  options: {
    model?: Model;
    capabilities?: Partial<Model['capabilities']>;
    flash?: Flash;
    seed?: number;
  } = {},
): Bench {
  const { model = MODELS['finger-10k'], capabilities = {}, flash = new MemoryFlash(), seed = 1 } = options;
  const clock = new VirtualClock();
  const terminal = new Terminal({
    serial: 'WX-000007',
    address: ADDRESS,
    model: { ...model, capabilities: { ...model.capabilities, ...capabilities } },
    clock,
    random: seededRandom(seed),
    flash,
  });
  if (terminal.power === 'on') terminal.setKey(PAIRING_KEY);
  return { clock, flash, terminal, asker: new Asker(terminal) };
}

/** Asks a terminal frame by frame, as a gateway would. */
export class Asker {
  readonly #terminal: Terminal;
  readonly #random = seededRandom(77);
  #session: SealedEnd | undefined;
  #group: GroupEnd | undefined;
  #plain = 0;
  /** The attention bit of the last answer. */
  attention = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** A request as its stuffed frame: in the session, once there is one. */
  frame<Name extends MessageName>(name: Name, body: Body<Name>, address = ADDRESS): Uint8Array {
    const session = address === BROADCAST ? this.#group : this.#session;
    this.#plain += 1;
    const sequence = session?.nextSequence() ?? this.#plain;
    const header = { address, sequence, fromTerminal: false, attention: false };
    return toWire(session ?? plainSession, header, name, body).subarray(0, -1);
  }

  /** The same, said before there is a session. */
  plain<Name extends MessageName>(name: Name, body: Body<Name>): Uint8Array {
    this.#plain += 1;
    const header = { address: ADDRESS, sequence: this.#plain, fromTerminal: false, attention: false };
    return toWire(plainSession, header, name, body).subarray(0, -1);
  }

  /** A payload of any kind in a frame of the session. */
  bare(payload: readonly number[]): Uint8Array {
    const { session } = this;
    const buffer = new Uint8Array(64);
    buffer.set(payload, session.headBytes);
    const header = {
      address: ADDRESS,
      sequence: session.nextSequence(),
      fromTerminal: false,
      attention: false,
    };
    const length = session.seal(header, buffer, payload.length);
    const wire = new Uint8Array(stuffedMax(length));
    return wire.subarray(0, stuff(buffer, length, wire, 0) - 1);
  }

  /** The gateway's end of the session. @throws Error before {@link hello} */
  get session(): SealedEnd {
    if (this.#session === undefined) throw new Error('there is no session yet');
    return this.#session;
  }

  /** Hands a stuffed frame over; answers with what comes back. */
  hand(stuffed: Uint8Array): Opened[] {
    if (addressOf(stuffed) === BROADCAST) {
      const said = this.#terminal.hearCall(new Call(stuffed));
      return said === undefined ? [] : [this.#open(said.wire)];
    }
    const frames = this.#terminal.hear(stuffed).map((wire) => this.#open(wire));
    this.attention = frames.at(-1)?.attention ?? this.attention;
    return frames;
  }

  #open(wire: Uint8Array): Opened {
    const bytes = unstuff(wire.subarray(0, -1));
    return (readHeader(bytes).sealed ? this.session : plainSession).open(bytes);
  }

  all<Name extends MessageName>(name: Name, body: Body<Name>): Message[] {
    return this.hand(this.frame(name, body)).map(({ payload }) => decodeMessage(payload));
  }

  /** The one answer to a request. @throws Error when there is none, or more */
  ask<Name extends MessageName>(name: Name, body: Body<Name>): Message {
    const [answer, ...more] = this.all(name, body);
    if (answer === undefined || more.length > 0) throw new Error(`${more.length} more answers to ${name}`);
    return answer;
  }

  /** The body of the one answer, which must be of that name. @throws Error */
  get<Name extends MessageName, Answer extends MessageName>(
    name: Name,
    body: Body<Name>,
    answer: Answer,
  ): Body<Answer> {
    const message = this.ask(name, body);
    if (!isOf(message, answer)) throw new Error(`${name} was answered by ${JSON.stringify(message)}`);
    return message.body;
  }

  /** Opens a session with the terminal's key, and says hello in it. */
  hello(key: Uint8Array = PAIRING_KEY): Body<'welcome'> {
    const prologue = prologueOf(this.#terminal.serial, ADDRESS);
    const noise = new NoiseInitiator({ psk: key, prologue, ephemeral: this.#random.bytes(32) });
    const [answer] = this.hand(this.plain('session.open', { handshake: noise.begin() }));
    if (answer === undefined) throw new Error('the terminal does not accept the key');
    const message = decodeMessage(answer.payload);
    if (message.name !== 'session.accept') throw new Error(`session.open was answered by ${message.name}`);
    this.#session = sealedSession('gateway', noise.finish(message.body.handshake).keys);
    const welcome = this.get('hello', {}, 'welcome');
    this.#group = groupSession('gateway', { key: this.#random.bytes(32), next: 0 });
    this.get('group.set', this.#group.handOver(), 'group.taken');
    return welcome;
  }

  /** Sends users as one object, whole. */
  push(
    users: readonly (User | UserRecord)[],
    { after = 0xffff_ffff, transfer = 1, chunk = 200 } = {},
  ): Message {
    const object = batchOf(users);
    this.ask('transfer.begin', headOf(object, { transfer, chunk }));
    for (const index of Array(chunkCount({ size: object.length, chunk })).keys())
      this.all('chunk', { transfer, index, data: chunkAt(object, chunk, index) });
    return this.ask('transfer.commit', { transfer, digest: digestOf(object), after });
  }
}

export function batchOf(users: readonly (User | UserRecord)[]): Uint8Array {
  return writeBatch(users.map((user) => ('fields' in user ? user : readRecord(encodeUser(user)))));
}

export function headOf(object: Uint8Array, { transfer = 1, chunk = 200 } = {}): Body<'transfer.begin'> {
  return { transfer, kind: 'users', size: object.length, chunk, digest: digestOf(object) };
}

function isOf<Name extends MessageName>(
  message: Message,
  name: Name,
): message is Extract<Message, { name: Name }> & { body: Body<Name> } {
  return message.name === name;
}
