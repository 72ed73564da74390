import type { Duplex } from 'node:stream';
import { WhorlError } from '@whorl/protocol';
import type { Cancel, Clock } from '@whorl/protocol';
import { MqttClient } from 'mqtt';
import type { IPublishPacket } from 'mqtt';
import { tlsTrouble } from '../settings/tls-trouble.ts';

export interface ConnectionParts {
  /** Opens a connection to the broker; its failure is the stream's. */
  readonly wire: () => Duplex;
  readonly clientId: string;
  readonly login?: { readonly user: string; readonly password: string } | undefined;
  readonly will: { readonly topic: string; readonly payload: string };
  readonly clock: Clock;
  readonly onMessage: (message: Message) => void;
  /** Gives up connecting. */
  readonly signal: AbortSignal;
}

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Whether the broker kept it for whoever subscribes. */
  readonly retained: boolean;
}

const KEEP_ALIVE_SECONDS = 30;
const CONNECT_MS = 10_000;
/** The library's own time for that goes by another clock: ours is over long before. */
const LIBRARY_CONNECT_MS = 3_600_000;
const ACKNOWLEDGE_MS = 30_000;

/**
 * One connection to a broker, from CONNECT to its end. There is no second life: whoever wants to go on opens another
 * one, so that nothing waits in memory for a broker that is away.
 */
export class Connection {
  readonly #client: MqttClient;
  readonly #clock: Clock;
  readonly #done = Promise.withResolvers<string>();
  /** Those who wait for an acknowledgement. */
  readonly #waiting = new Set<() => void>();
  #over = false;
  /** What the library said last, to be told as the reason of the end. */
  #trouble = 'the broker closed the connection';

  private constructor(parts: ConnectionParts) {
    const { login, will } = parts;
    this.#clock = parts.clock;
    this.#client = new MqttClient(parts.wire, {
      protocolVersion: 4,
      clientId: parts.clientId,
      clean: true,
      keepalive: KEEP_ALIVE_SECONDS,
      connectTimeout: LIBRARY_CONNECT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: repeating(parts.clock),
      ...(login === undefined ? {} : { username: login.user, password: login.password }),
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    });
    this.#client.on('error', (error) => {
      this.#trouble = tlsTrouble(error, parts.clock.wallTime());
    });
    this.#client.on('message', (topic, payload, { retain }: IPublishPacket) => {
      parts.onMessage({ topic, payload, retained: retain });
    });
    this.#client.on('close', () => {
      this.#over = true;
      this.#done.resolve(this.#trouble);
      for (const giveUp of this.#waiting) giveUp();
    });
  }

  /** @throws WhorlError MQTT_CONNECT */
  static async open(parts: ConnectionParts): Promise<Connection> {
    const connection = new Connection(parts);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    connection.#client.once('connect', () => resolve(undefined));
    const abort = (): void => connection.drop('connecting was cancelled');
    if (parts.signal.aborted) abort();
    parts.signal.addEventListener('abort', abort, { once: true });
    const cancel = parts.clock.after(CONNECT_MS, () => {
      connection.drop(`the broker did not answer in ${CONNECT_MS} ms`);
    });
    const trouble = await Promise.race([promise, connection.closed]);
    cancel();
    parts.signal.removeEventListener('abort', abort);
    if (trouble !== undefined) throw new WhorlError('MQTT_CONNECT', trouble);
    return connection;
  }

  /** Why the connection ended, when it has. */
  get closed(): Promise<string> {
    return this.#done.promise;
  }

  /**
   * Publishes with QoS 1.
   * @returns when the broker has it
   * @throws WhorlError MQTT_CONNECT when it may not have it
   */
  publish(
    topic: string,
    payload: string | Uint8Array,
    options?: { readonly retain: boolean },
  ): Promise<void> {
    return this.#acknowledged(`${topic} was not acknowledged`, (done) => {
      this.#client.publish(
        topic,
        typeof payload === 'string' ? payload : Buffer.from(payload),
        { qos: 1, retain: options?.retain ?? false },
        done,
      );
    });
  }

  /** @throws WhorlError MQTT_CONNECT, also when the broker refuses it */
  subscribe(filters: readonly string[]): Promise<void> {
    return this.#acknowledged('the subscription was not acknowledged', (done) => {
      this.#client.subscribe([...filters], { qos: 1 }, done);
    });
  }

  /** What was on its way may still come. @throws WhorlError MQTT_CONNECT */
  unsubscribe(filters: readonly string[]): Promise<void> {
    return this.#acknowledged('the end of the subscription was not acknowledged', (done) => {
      this.#client.unsubscribe([...filters], done);
    });
  }

  /** Says goodbye, so that the last will is not published, and closes. */
  async end(): Promise<void> {
    const cancel = this.#clock.after(CONNECT_MS, () => this.drop('the broker did not close in time'));
    this.#client.end();
    await this.closed;
    cancel();
  }

  /** Cuts the connection. */
  drop(why: string): void {
    this.#trouble = why;
    this.#client.stream.destroy();
  }

  /** A broker that lives but does not acknowledge is as good as none. */
  #acknowledged(what: string, start: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error | null): void => {
        cancel();
        this.#waiting.delete(giveUp);
        if (error === undefined || error === null) resolve();
        else reject(new WhorlError('MQTT_CONNECT', error.message, { cause: error }));
      };
      const giveUp = (): void => settle(new Error(this.#trouble));
      const cancel = this.#clock.after(ACKNOWLEDGE_MS, () => this.drop(`${what} in ${ACKNOWLEDGE_MS} ms`));
      this.#waiting.add(giveUp);
      if (this.#over) giveUp();
      else start(settle);
    });
  }
}

/** Timers for the library, by our clock. */
function repeating(clock: Clock): { set(fire: () => void, ms: number): number; clear(timer: number): void } {
  const running = new Map<number, Cancel>();
  let last = 0;
  return {
    set(fire, ms) {
      const timer = (last += 1);
      const wait = (): void => {
        running.set(
          timer,
          clock.after(ms, () => {
            wait();
            fire();
          }),
        );
      };
      wait();
      return timer;
    },
    clear(timer) {
      running.get(timer)?.();
      running.delete(timer);
    },
  };
}
