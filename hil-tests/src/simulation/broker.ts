import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { generate, parser } from 'mqtt-packet';
import type { IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet';
import type { Clock, Random } from '@whorl/protocol';

const PROTOCOL = { protocolVersion: 4 } as const;
/** CONNACK's code for a server that is there and takes nobody. */
const UNAVAILABLE = 3;
const REFUSED = 0x80;

/** How a broker feels: by default as it should. */
export interface Mood {
  /** What it says comes so much later, milliseconds at most. */
  readonly lateMs: number;
  /** How often it delivers something twice. */
  readonly twice: number;
  /** It takes nobody. */
  readonly refuses: boolean;
  /** It refuses subscriptions. */
  readonly deaf: boolean;
  /** It takes what is published, and never says so. */
  readonly mute: boolean;
}

export const CALM: Mood = { lateMs: 0, twice: 0, refuses: false, deaf: false, mute: false };

/** Something that was published and that the broker has. */
export interface Publication {
  readonly topic: string;
  readonly payload: string;
}

interface Session {
  readonly wire: Duplex;
  readonly will: IConnectPacket['will'];
  subscribed: boolean;
  /** When what was said last arrives: nothing overtakes. */
  lastAt: number;
}

/**
 * A broker in memory and virtual time, to which one gateway connects. It keeps what is retained and hands on what
 * programs say to the gateway; it forgets sessions, delays, repeats and refuses as it is told.
 */
export class SimulatedBroker {
  /** What is retained, by topic. */
  readonly retained = new Map<string, string>();
  mood: Mood = CALM;
  /** Told of everything that it takes from the gateway. */
  onPublished: (publication: Publication) => void = () => undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  #session: Session | undefined;
  #isUp = true;
  #number = 0;
  /** Packets until it cuts the connection. */
  #left = Number.POSITIVE_INFINITY;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Whether somebody is connected and hears what programs say. */
  get isHeard(): boolean {
    return this.#session?.subscribed === true;
  }

  /** The gateway's end of a new connection. */
  wire(): Duplex {
    const [near, far] = duplexPair();
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.on('error', () => undefined);
      end.on('close', () => other.destroy());
    }
    if (this.#isUp) this.#accept(far);
    else far.destroy();
    return near;
  }

  /** A program publishes. @returns whether the broker handed it on */
  publish({ topic, payload }: Publication): boolean {
    const session = this.#session;
    if (session?.subscribed !== true) return false;
    const times = this.#random.below(100) < this.mood.twice * 100 ? 2 : 1;
    for (let time = 0; time < times; time += 1)
      this.#say(session, {
        ...{ cmd: 'publish', topic, payload, qos: 1, dup: time > 0, retain: false },
        messageId: (this.#number = (this.#number % 0xffff) + 1),
      });
    return true;
  }

  /** Ends, and all connections and sessions with it. @param keeps whether it has still what was retained */
  stop(keeps: boolean): void {
    this.#isUp = false;
    this.cut();
    if (!keeps) this.retained.clear();
  }

  start(): void {
    this.#isUp = true;
  }

  /** Cuts the connection so many packets from now on. */
  cutAfter(packets: number): void {
    this.#left = packets;
  }

  /** The connection is gone, without a goodbye. */
  cut(): void {
    this.#left = Number.POSITIVE_INFINITY;
    const session = this.#session;
    if (session !== undefined) this.#lose(session);
  }

  #accept(wire: Duplex): void {
    const session: Session = { wire, will: undefined, subscribed: false, lastAt: 0 };
    const incoming = parser(PROTOCOL);
    let known = session;
    incoming.on('packet', (packet) => {
      if (packet.cmd === 'connect') known = this.#connect(session, packet);
      else this.#take(known, packet);
    });
    incoming.on('error', () => wire.destroy());
    wire.on('data', (bytes: Buffer) => void incoming.parse(bytes));
    wire.on('close', () => this.#lose(known));
  }

  #connect(session: Session, { will }: IConnectPacket): Session {
    const connected = { ...session, will };
    if (this.mood.refuses) {
      this.#say(connected, { cmd: 'connack', returnCode: UNAVAILABLE, sessionPresent: false });
      return connected;
    }
    // The same client again ends the one that was there (MQTT 3.1.1, section 3.1.4).
    if (this.#session !== undefined) this.#lose(this.#session);
    this.#session = connected;
    this.#say(connected, { cmd: 'connack', returnCode: 0, sessionPresent: false });
    return connected;
  }

  #take(session: Session, packet: Packet): void {
    if (session !== this.#session) return;
    if ((this.#left -= 1) <= 0) {
      this.cut();
      return;
    }
    switch (packet.cmd) {
      case 'publish':
        this.#published(session, packet);
        break;
      case 'subscribe': {
        session.subscribed = !this.mood.deaf;
        const granted = packet.subscriptions.map(() => (this.mood.deaf ? REFUSED : 1));
        this.#say(session, { cmd: 'suback', messageId: packet.messageId ?? 0, granted });
        break;
      }
      case 'pingreq':
        this.#say(session, { cmd: 'pingresp' });
        break;
      case 'disconnect':
        this.#session = undefined;
        session.wire.destroy();
        break;
      default:
    }
  }

  #published(session: Session, { topic, payload, retain, messageId, qos }: IPublishPacket): void {
    const text = payload.toString();
    if (retain) this.#retain(topic, text);
    this.onPublished({ topic, payload: text });
    if (qos > 0 && !this.mood.mute) this.#say(session, { cmd: 'puback', messageId: messageId ?? 0 });
  }

  #retain(topic: string, payload: string): void {
    if (payload === '') this.retained.delete(topic);
    else this.retained.set(topic, payload);
  }

  #say(session: Session, packet: Packet): void {
    const { lateMs } = this.mood;
    const late = lateMs === 0 ? 0 : this.#random.below(lateMs);
    session.lastAt = Math.max(session.lastAt, this.#clock.now() + late);
    const bytes = generate(packet, PROTOCOL);
    const write = (): void => {
      if (!session.wire.destroyed) session.wire.write(bytes);
    };
    if (session.lastAt <= this.#clock.now()) write();
    else this.#clock.after(session.lastAt - this.#clock.now(), write);
  }

  #lose(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    session.wire.destroy();
    const { will } = session;
    if (will?.retain !== true) return;
    this.#retain(will.topic, will.payload.toString());
    this.onPublished({ topic: will.topic, payload: will.payload.toString() });
  }
}
