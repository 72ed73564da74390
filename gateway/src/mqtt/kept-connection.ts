import { describe, sleep } from '@whorl/protocol';
import { secretClient } from '../sites/broker-names.ts';
import { Connection } from './connection.ts';
import type { ConnectionParts, Message } from './connection.ts';
import type { Audit } from '../access/audit.ts';
import type { CommandTools } from './commands.ts';
import { CommandDesk } from './desk.ts';
import { logged } from './errors.ts';
import { Publisher } from './publisher.ts';
import type { PublisherParts } from './publisher.ts';
import { COMMANDS_TOPIC, OFFLINE, ONLINE, RETAINED_TOPIC } from './topics.ts';

/** How a broker is reached. */
export type Way = Pick<ConnectionParts, 'wire' | 'login'>;

export interface KeptConnectionParts extends Omit<PublisherParts, 'tasks'> {
  readonly tasks: PublisherParts['tasks'] & CommandTools['tasks'];
  /** The same at every start, so that a new connection ends one that the broker takes for living still. */
  readonly clientId: string;
  readonly audit: Pick<Audit, 'act'>;
  /** The broker, in words. */
  readonly where: string;
  /** Asked anew for each connection. @throws WhorlError */
  readonly way: () => Way;
}

/** Waits between two tries to reach a broker, milliseconds; the last one for ever. */
const RETRIES_MS = [1000, 2000, 5000, 10_000];
const LAST_RETRY_MS = 30_000;
const GOODBYE_MS = 3000;

/** A connection to a broker that is made again whenever it ends; over it events are published and commands answered. */
export class KeptConnection {
  readonly #parts: KeptConnectionParts;
  readonly #desk: CommandDesk;
  readonly #stopping = new AbortController();
  /** Commands under way. */
  readonly #working = new Set<Promise<void>>();
  #connection: Connection | undefined;
  #running = Promise.resolve();
  #failures = 0;
  #trouble = '';

  constructor(parts: KeptConnectionParts) {
    this.#parts = parts;
    this.#desk = new CommandDesk(parts);
  }

  /** @returns after the first try, whether it succeeded or not */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running = this.#run(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(tried: () => void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#live(tried);
      } catch (error) {
        if (!this.#isStopping()) this.#failed(error);
      }
      tried();
      const pause = RETRIES_MS[this.#failures] ?? LAST_RETRY_MS;
      this.#failures += 1;
      await sleep(this.#parts.clock, pause, signal).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** One connection from beginning to end. */
  async #live(tried: () => void): Promise<void> {
    const { clientId, root, clock, log, where } = this.#parts;
    const { signal } = this.#stopping;
    const { wire, login } = this.#parts.way();
    const connection = await Connection.open({
      ...{ wire, login, clientId: login === undefined ? clientId : secretClient(clientId, login.password) },
      clock,
      signal,
      will: { topic: `${root}/state`, payload: OFFLINE },
      onMessage: (message) => this.#arrived(message),
    });
    this.#connection = connection;
    try {
      await connection.subscribe([`${root}/${COMMANDS_TOPIC}/#`, `${root}/${RETAINED_TOPIC}/#`]);
      await connection.publish(`${root}/state`, ONLINE, { retain: true });
      this.#failures = 0;
      this.#trouble = '';
      log.info({}, `mqtt: connected to ${where}`);
      tried();
      await new Publisher(this.#parts, connection).run(signal);
      if (this.#isStopping()) await this.#sayGoodbye(connection);
    } finally {
      this.#connection = undefined;
      connection.drop('given up');
    }
    throw new Error(await connection.closed);
  }

  async #sayGoodbye(connection: Connection): Promise<void> {
    const cancel = this.#parts.clock.after(GOODBYE_MS, () => connection.drop('the goodbye took too long'));
    await Promise.all(this.#working);
    await connection.publish(`${this.#parts.root}/state`, OFFLINE, { retain: true });
    await connection.end();
    cancel();
  }

  #arrived({ topic, payload, retained }: Message): void {
    if (this.#stopping.signal.aborted) return;
    const [, , branch, ...name] = topic.split('/');
    const work = this.#answer({
      name: name.join('/'),
      payload,
      retained: retained || branch === RETAINED_TOPIC,
    });
    this.#working.add(work);
    void work.finally(() => this.#working.delete(work));
  }

  async #answer(incoming: Parameters<CommandDesk['take']>[0]): Promise<void> {
    try {
      const reply = await this.#desk.take(incoming);
      if (reply !== undefined)
        await this.#connection?.publish(`${this.#parts.root}/${reply.topic}`, reply.payload);
    } catch (error) {
      // The asker repeats a command that got no answer.
      const { data, text } = logged(error);
      this.#parts.log.debug(data, `mqtt: an answer could not be published: ${text}`);
    }
  }

  /** A broker that is away for a week is told of once. */
  #failed(error: unknown): void {
    const trouble = describe(error);
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#parts.log.warn({}, `mqtt: no connection to ${this.#parts.where}, tried again: ${trouble}`);
  }
}
