import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { describe, sleep, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { Aedes } from 'aedes';
import type { Client, PublishPacket } from 'aedes';
import type { Log } from '../settings/log.ts';
import { isLoopback } from '../settings/loopback.ts';
import type { MqttConfig } from '../settings/mqtt.ts';
import { BoundedStream } from './bounded-stream.ts';
import { Bucket } from '../settings/bucket.ts';
import { MOST_COMMAND_BYTES } from './desk.ts';
import { shortened } from './errors.ts';
import { Handshakes, onceHeard } from './handshakes.ts';
import { brokerPassword, samePassword } from './password.ts';
import { SiteGate } from './site-gate.ts';
import type { BrokerSites } from './site-gate.ts';
import { Strangers } from './strangers.ts';
import { COMMANDS_TOPIC, RETAINED_TOPIC } from './topics.ts';

/** The user name that programs give; the password stands in a file. */
export const BROKER_USER = 'whorl';

/** Programs that are in at once; satellites have each its own place besides. */
const MOST_PROGRAMS = 64;
/** Connections that have not said yet who they are. */
const MOST_STRANGERS = 128;
/** A stranger has this long to say who it is, milliseconds, and this many bytes. */
const HELLO_MS = 10_000;
const HELLO_BYTES = 8 * 1024;
/** A program that is silent for longer (half as much again) is taken for gone; it must name a time itself. */
const MOST_KEEP_ALIVE_SECONDS = 1200;
const MOST_UNREAD_BYTES = 1024 * 1024;
const MOST_TOPIC_LEVELS = 16;
const MOST_HALF_SENT = 64;
const SETTLE_MS = 50;
const GOODBYE_MS = 500;
/** A program with that much unread keeps the others waiting this long, then it is cut off. */
const READ_MS = 2_000;

export interface BrokerParts {
  readonly config: MqttConfig;
  readonly dataDir: string;
  /** `whorl/<gateway>` */
  readonly root: string;
  /** Client id that nobody but the gateway may take. */
  readonly ownId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Satellites that are let in; none when absent. */
  readonly sites?: BrokerSites | undefined;
}

/** The embedded broker at work. */
export interface Broker {
  /** Where programs reach it. */
  readonly url: string;
  readonly passwordFile: string;
  /** The gateway's own connection, inside this process: whoever holds it may publish everything. */
  join(): Duplex;
  stop(): Promise<void>;
}

/**
 * Starts the embedded broker: MQTT 3.1.1, never anonymous. Programs publish commands and read the gateway's topics;
 * everything else is said by the gateway alone. It keeps retained messages in memory, and no sessions: what a program
 * missed while it was away is asked for (`events.list`), not hoarded.
 * @throws WhorlError MQTT_BROKER, MQTT_PASSWORD, MQTT_TLS
 */
export async function startBroker(parts: BrokerParts): Promise<Broker> {
  const { config, log } = parts;
  if (config.tls === undefined && !isLoopback(config.host))
    throw new WhorlError('MQTT_TLS', `the broker would listen on ${config.host} without TLS`);
  const passwordFile = join(parts.dataDir, 'mqtt.password');
  const open = new Set<Duplex>();
  const sockets = new WeakMap<object, Socket>();
  const strangers = new Strangers({
    most: MOST_STRANGERS,
    putOut: (address) => {
      const text = `mqtt: more than ${MOST_STRANGERS} connections have not said who they are; one from ${address} was closed`;
      gate.warn({ address }, text);
    },
  });
  const gate = new Gate(parts, brokerPassword(passwordFile), (stream) => {
    const socket = sockets.get(stream);
    if (socket !== undefined) strangers.admitted(socket);
  });
  const welcome = (socket: Socket): void => {
    const stream = new BoundedStream(socket, {
      first: HELLO_BYTES,
      later: MOST_COMMAND_BYTES + HELLO_BYTES,
      unread: MOST_UNREAD_BYTES,
    });
    open.add(stream);
    sockets.set(stream, socket);
    stream.on('close', () => open.delete(stream));
    aedes.handle(stream);
  };
  const secured = config.tls && tlsServer(config.tls, welcome);
  const handshakes = new Handshakes(parts.clock);
  const server = createServer({ noDelay: true }, (socket) => {
    // With TLS, too, from its first byte on and not only once its handshake is done.
    strangers.came(socket);
    if (secured === undefined) welcome(socket);
    else
      onceHeard(socket, { clock: parts.clock, patienceMs: HELLO_MS }, () => {
        const address = socket.remoteAddress ?? '';
        if (handshakes.mayBegin(address)) {
          secured.emit('connection', socket);
          return;
        }
        gate.warn({ address }, `mqtt: ${address} begins too many TLS handshakes; one was not begun`);
        socket.destroy();
      });
  });
  const aedes = await gate.openAedes();
  try {
    await listen(server, config);
  } catch (cause) {
    aedes.close();
    throw cause;
  }
  server.on('error', (error) => log.error({}, `mqtt: the broker's socket failed: ${describe(error)}`));
  return {
    url: urlOf(config, server),
    passwordFile,
    join: () => gate.join(aedes),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await ended([...open], parts.clock);
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const stream of open) stream.destroy();
      await closed;
    },
  };
}

/** Lets everybody hear what was said last, those who read it soon. */
async function ended(streams: readonly Duplex[], clock: Clock): Promise<void> {
  // What the broker has acknowledged may still be on its way inside it.
  await sleep(clock, SETTLE_MS);
  const patience = new AbortController();
  const all = streams.map((stream) => new Promise<void>((done) => stream.end(() => done())));
  await Promise.race([sleep(clock, GOODBYE_MS, patience.signal).catch(() => undefined), Promise.all(all)]);
  patience.abort();
}

/** Who may do what. */
class Gate {
  readonly #parts: BrokerParts;
  readonly #password: string;
  readonly #own = new WeakSet<object>();
  readonly #warnings: Bucket;
  readonly #sites: SiteGate;
  readonly #programs = new Set<object>();
  readonly #admitted: (stream: object) => void;

  /** @param admitted told of each connection that has said who it is */
  constructor(parts: BrokerParts, password: string, admitted: (stream: object) => void) {
    this.#parts = parts;
    this.#password = password;
    this.#admitted = admitted;
    this.#sites = new SiteGate(parts.sites, parts.clock);
    this.#warnings = new Bucket(parts.clock, 20, 0.1);
  }

  async openAedes(): Promise<Aedes> {
    const aedes = await Aedes.createBroker({
      id: 'whorl',
      concurrency: 1000,
      connectTimeout: HELLO_MS,
      keepaliveLimit: MOST_KEEP_ALIVE_SECONDS,
      maxTopicLevels: MOST_TOPIC_LEVELS,
      maxInflightInbound: MOST_HALF_SENT,
      drainTimeout: READ_MS,
      preConnect: (_client, packet, done) => {
        // Sessions of programs that never come back would fill memory.
        packet.clean = true;
        done(null, true);
      },
      authenticate: (client, user, password, done) => {
        const knows = this.#knows(client, user, password);
        if (knows) this.#admitted(client.conn);
        done(null, knows);
      },
      authorizePublish: (client, packet, done) => done(this.#publishes(client, packet)),
      authorizeSubscribe: (client, subscription, done) =>
        done(null, this.#reads(client, subscription.topic) ? subscription : null),
    });
    aedes.addListener('error', (error: unknown) => {
      this.#parts.log.error({}, `mqtt: the broker failed: ${describe(error)}`);
    });
    const told = (client: Client, error: Error): void => {
      this.warn({ client: client.id }, `mqtt: a client was sent away: ${error.message}`);
    };
    aedes.on('connectionError', told);
    aedes.on('clientError', told);
    return aedes;
  }

  join(aedes: Aedes): Duplex {
    const [ours, theirs] = duplexPair();
    for (const [end, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      end.on('error', () => undefined);
      end.on('close', () => other.destroy());
    }
    this.#own.add(theirs);
    aedes.handle(theirs);
    return ours;
  }

  /** Whoever knocks all day does not fill the log. */
  warn(data: object, text: string): void {
    if (this.#warnings.take()) this.#parts.log.warn(data, text);
  }

  #knows(client: Client, user: string | undefined, password: Buffer | undefined): boolean {
    if (this.#own.has(client.conn)) return true;
    // Another client under the gateway's id would cut the gateway off (MQTT 3.1.1, section 3.1.4).
    const { ownId } = this.#parts;
    if (client.id === ownId || client.id === `${ownId}-sites` || password === undefined) return false;
    const isSite = this.#sites.admits(client, user, password);
    if (isSite !== undefined) return isSite;
    return samePassword(password, this.#password) && user === BROKER_USER && this.#hasPlace(client.conn);
  }

  #hasPlace(stream: Duplex): boolean {
    if (this.#programs.size >= MOST_PROGRAMS) {
      this.warn({}, `mqtt: there are ${MOST_PROGRAMS} programs; one more was not let in`);
      return false;
    }
    this.#programs.add(stream);
    stream.once('close', () => this.#programs.delete(stream));
    return true;
  }

  #publishes(client: Client | null, packet: PublishPacket): Error | null {
    if (client !== null && this.#own.has(client.conn)) return null;
    const site = client === null ? undefined : this.#sites.topics(client);
    if (site !== undefined)
      return site.publishes(packet)
        ? null
        : new Error(`this site may not publish to ${shortened(packet.topic)}`);
    const { root } = this.#parts;
    const commands = `${root}/${COMMANDS_TOPIC}/`;
    if (!packet.topic.startsWith(commands))
      return new Error(`only the gateway publishes to ${shortened(packet.topic)}`);
    if (packet.retain) {
      // Kept, it would be done again at every start. Handed on apart, it can be answered with what is wrong.
      packet.retain = false;
      packet.topic = `${root}/${RETAINED_TOPIC}/${packet.topic.slice(commands.length)}`;
    }
    return null;
  }

  #reads(client: Client, filter: string): boolean {
    if (this.#own.has(client.conn)) return true;
    const site = this.#sites.topics(client);
    if (site !== undefined) return site.reads(filter);
    const [first, second] = filter.split('/');
    const [whorl, gateway] = this.#parts.root.split('/');
    return first === '#' || ((first === '+' || first === whorl) && isLevel(second, gateway));
  }
}

function isLevel(given: string | undefined, wanted: string | undefined): boolean {
  return given === '#' || given === '+' || given === wanted;
}

/** Listens nowhere: connections are handed to it. */
function tlsServer(
  { cert, key }: NonNullable<MqttConfig['tls']>,
  onSocket: (socket: Socket) => void,
): Server {
  try {
    const identity = { cert: readFileSync(cert), key: readFileSync(key) };
    return createTlsServer({ ...identity, noDelay: true, handshakeTimeout: HELLO_MS }, onSocket);
  } catch (cause) {
    throw new WhorlError('MQTT_TLS', `${cert}, ${key}: ${describe(cause)}`, { cause });
  }
}

function listen(server: Server, { host, port }: MqttConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void =>
      reject(new WhorlError('MQTT_BROKER', `${host} port ${port}: ${cause.message}`, { cause }));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

function urlOf({ host, tls }: MqttConfig, server: Server): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `${tls === undefined ? 'mqtt' : 'mqtts'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
