import {
  BROADCAST,
  codeOf,
  decodeMessage,
  FrameSplitter,
  groupSession,
  NoiseInitiator,
  plainSession,
  prologueOf,
  readHeader,
  sealedSession,
  toWire,
  unstuff,
} from '@whorl/protocol';
import type { GroupEnd, Message, Random, SealedEnd, Session } from '@whorl/protocol';
import type { Port } from '@whorl/device-emulator';
import { keyFor } from '../rig/wiring.ts';
import type { Ask, Seat } from './recording.ts';

interface Ear {
  readonly seat: Pick<Seat, 'serial' | 'address'>;
  noise?: NoiseInitiator;
  session?: SealedEnd;
  /** What was said under a number of the recording, to say it again, and under which it went out. */
  readonly said: Map<number, { readonly wire: Uint8Array; readonly sequence: number }>;
  /** Numbers that terminals gave their offers when they were recorded, and give them now. */
  readonly offers: Map<number, number>;
  /** Of pulls, by the number under which they went out: that of the offer when they were recorded. */
  readonly pulls: Map<number, number>;
}

const EPHEMERAL_BYTES = 32;

/** Says on a line what a gateway said there, in sessions of its own. */
export class Voice {
  readonly #port: Port;
  readonly #random: Random;
  readonly #ears: ReadonlyMap<number, Ear>;
  readonly #groups = new Map<string, GroupEnd>();
  #group: GroupEnd | undefined;

  constructor(port: Port, random: Random, seats: readonly Ear['seat'][]) {
    this.#port = port;
    this.#random = random;
    this.#ears = new Map(
      seats.map((seat) => [seat.address, { seat, said: new Map(), offers: new Map(), pulls: new Map() }]),
    );
    const splitter = new FrameSplitter();
    port.onBytes((bytes) => {
      splitter.push(bytes, (stuffed) => {
        this.#heard(stuffed);
      });
    });
  }

  /**
   * @param before told what it is as it goes over the wire; where bytes take no time it is answered before this returns
   * @returns whether it could be said: not before a session is opened
   */
  say(ask: Ask, before: (wire: Uint8Array) => void): boolean {
    const wire = this.#made(ask);
    if (wire === undefined) return false;
    before(wire);
    this.#port.write(wire);
    return true;
  }

  #made(ask: Ask): Uint8Array | undefined {
    const message = decodeMessage(Buffer.from(ask.payload, 'hex'));
    if (ask.address === BROADCAST) return this.#toAll(message);
    const ear = this.#ears.get(ask.address);
    if (ear === undefined) return undefined;
    const known = ear.said.get(ask.sequence);
    if (known !== undefined) {
      // It may be the first time that the offer was heard.
      if (ask.offered !== undefined) ear.pulls.set(known.sequence, ask.offered);
      return known.wire;
    }
    const plain = message.name === 'discover' || message.name === 'session.open';
    const session = plain ? plainSession : ear.session;
    if (session === undefined) return undefined;
    const sequence = plain ? ask.sequence : (ear.session?.nextSequence() ?? 0);
    const wire = this.#wire(session, { address: ask.address, sequence }, this.#own(ear, message));
    if (!plain) ear.said.set(ask.sequence, { wire, sequence });
    if (ask.offered !== undefined) ear.pulls.set(sequence, ask.offered);
    return wire;
  }

  #toAll(message: Message): Uint8Array | undefined {
    const group = this.#group;
    if (group === undefined) return undefined;
    return this.#wire(group, { address: BROADCAST, sequence: group.nextSequence() }, message);
  }

  #wire(session: Session, to: { address: number; sequence: number }, { name, body }: Message): Uint8Array {
    return toWire(session, { ...to, fromTerminal: false, attention: false }, name, body);
  }

  /** The message with what is another one in these sessions. */
  #own(ear: Ear, message: Message): Message {
    switch (message.name) {
      case 'session.open': {
        const psk = keyFor(ear.seat.serial);
        const prologue = prologueOf(ear.seat.serial, ear.seat.address);
        ear.noise = new NoiseInitiator({ psk, prologue, ephemeral: this.#random.bytes(EPHEMERAL_BYTES) });
        return { name: 'session.open', body: { handshake: ear.noise.begin() } };
      }
      case 'group.set': {
        const number = Buffer.from(message.body.key).toString('hex');
        const group = this.#groups.get(number) ?? groupSession('gateway', { key: message.body.key, next: 0 });
        this.#groups.set(number, group);
        this.#group = group;
        return { name: 'group.set', body: group.handOver() };
      }
      case 'transfer.fetch': {
        const { transfer } = message.body;
        return { ...message, body: { ...message.body, transfer: ear.offers.get(transfer) ?? transfer } };
      }
      default:
        return message;
    }
  }

  #heard(stuffed: Uint8Array): void {
    try {
      const frame = unstuff(stuffed);
      const header = readHeader(frame);
      const ear = this.#ears.get(header.address);
      if (ear === undefined || !header.fromTerminal) return;
      const session = header.sealed ? ear.session : plainSession;
      if (session !== undefined) this.#took(ear, header.sequence, decodeMessage(session.open(frame).payload));
    } catch (error) {
      // What is damaged or of an older session says nothing.
      if (codeOf(error) === undefined) throw error;
    }
  }

  #took(ear: Ear, sequence: number, message: Message): void {
    if (message.name === 'session.accept' && ear.noise !== undefined) {
      ear.session = sealedSession('gateway', ear.noise.finish(message.body.handshake).keys);
      delete ear.noise;
      ear.said.clear();
      ear.pulls.clear();
    }
    if (message.name !== 'transfer.offered') return;
    const recorded = ear.pulls.get(sequence);
    if (recorded !== undefined) ear.offers.set(recorded, message.body.transfer);
  }
}
