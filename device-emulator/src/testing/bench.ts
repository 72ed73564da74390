import {
  BROADCAST,
  chunkAt,
  chunkCount,
  decodeMessage,
  digestOf,
  fromWire,
  plainSession,
  readHeader,
  readRecord,
  encodeUser,
  seededRandom,
  toWire,
  unstuff,
  VirtualClock,
  writeBatch,
} from '@whorl/protocol';
import type { Body, Frame, Message, MessageName, User, UserRecord } from '@whorl/protocol';
import { MemoryFlash } from '../firmware/flash.ts';
import type { Flash } from '../firmware/flash.ts';
import { MODELS } from '../firmware/model.ts';
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
  return { clock, flash, terminal, asker: new Asker(terminal) };
}

/** Asks a terminal frame by frame, as a gateway would. */
export class Asker {
  readonly #terminal: Terminal;
  #sequence = 0;
  /** The attention bit of the last answer. */
  attention = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** A request as its stuffed frame. */
  frame<Name extends MessageName>(name: Name, body: Body<Name>, address = ADDRESS): Uint8Array {
    this.#sequence += 1;
    const header = { address, sequence: this.#sequence, fromTerminal: false, attention: false };
    return toWire(plainSession, header, name, body).subarray(0, -1);
  }

  /** Hands a stuffed frame over; answers with what comes back. */
  hand(stuffed: Uint8Array): Frame[] {
    if (readHeader(unstuff(stuffed)).address === BROADCAST) {
      const said = this.#terminal.hearCall(stuffed);
      return said === undefined ? [] : [fromWire(plainSession, said.wire.subarray(0, -1))];
    }
    const frames = this.#terminal.hear(stuffed).map((wire) => fromWire(plainSession, wire.subarray(0, -1)));
    this.attention = frames.at(-1)?.attention ?? this.attention;
    return frames;
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

  hello(): Body<'welcome'> {
    return this.get('hello', { nonce: this.#sequence }, 'welcome');
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
    return this.ask('transfer.commit', { transfer, after });
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
