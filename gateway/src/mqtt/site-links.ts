import { codeOf, describe, sleep, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { Log } from '../settings/log.ts';
import type { MasterEars, MasterWire, OpenSatelliteWire } from '../sites/wire.ts';
import { Connection } from './connection.ts';
import type { Way } from './kept-connection.ts';
import { masterTopic, secretClient, siteClients, siteTopic } from '../sites/broker-names.ts';
import { OFFLINE, ONLINE } from './topics.ts';

const RETRY_MS = 2_000;

export interface MasterLinkParts {
  /** Name of the master. */
  readonly master: string;
  readonly way: () => Way;
  /** Sync ids of the list. */
  readonly sites: () => readonly number[];
  readonly ears: MasterEars;
  readonly clock: Clock;
  readonly log: Log;
  /** One of several processes: its name, and the satellites that it speaks with at each moment; else it is all of them. */
  readonly part?: { readonly name: string; readonly sites: () => readonly number[] } | undefined;
}

/** A master's connection to the broker that its satellites meet it at; made again whenever it ends. */
export class MasterLink implements MasterWire {
  readonly #parts: MasterLinkParts;
  readonly #stopping = new AbortController();
  #connection: Connection | undefined;
  #running = Promise.resolve();

  constructor(parts: MasterLinkParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#connection?.drop('the gateway stops');
    await this.#running;
  }

  /** What cannot be sent now is lost: the satellite asks again. */
  async send(syncId: number, bytes: Uint8Array): Promise<void> {
    await this.#connection?.publish(siteTopic(this.#parts.master, syncId, 'down'), bytes);
  }

  /** This process speaks with a satellite from now on. What cannot be subscribed to is, once there is a connection. */
  async attend(syncId: number): Promise<void> {
    await this.#connection?.subscribe(this.#topics([syncId])).catch(() => undefined);
  }

  /** No longer. */
  leave(syncId: number): void {
    void this.#connection?.unsubscribe(this.#topics([syncId])).catch(() => undefined);
  }

  #topics(sites: readonly (number | '+')[]): string[] {
    const { master } = this.#parts;
    return sites.flatMap((site) => [siteTopic(master, site, 'up'), siteTopic(master, site, 'state')]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let told = '';
    while (!signal.aborted) {
      try {
        await this.#live();
      } catch (error) {
        const trouble = describe(error);
        if (!this.#isStopping() && trouble !== told)
          this.#parts.log.warn({}, `sites: no connection to the broker: ${trouble}`);
        told = trouble;
      }
      this.#connection = undefined;
      await sleep(this.#parts.clock, RETRY_MS, signal).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #live(): Promise<void> {
    const { master, way, sites, ears, clock, part } = this.#parts;
    const { wire, login } = way();
    const clientId = ['whorl', master, 'sites', ...(part === undefined ? [] : [part.name])].join('-');
    const connection = await Connection.open({
      ...{ wire, login, clientId: login === undefined ? clientId : secretClient(clientId, login.password) },
      will: { topic: masterTopic(master), payload: OFFLINE },
      clock,
      signal: this.#stopping.signal,
      onMessage: ({ topic, payload }) => {
        const [, , id, what] = topic.split('/');
        const syncId = Number(id);
        if (what === 'up') ears.message(syncId, payload);
        else if (what === 'state') ears.presence(syncId, Buffer.from(payload).toString() === ONLINE);
      },
    });
    this.#connection = connection;
    // Some brokers give out what they have kept only to those who ask for exactly that topic.
    const states = sites().map((syncId) => siteTopic(master, syncId, 'state'));
    const mine = part === undefined ? [...this.#topics(['+']), ...states] : this.#topics(part.sites());
    if (mine.length > 0) await connection.subscribe(mine);
    throw new Error(await connection.closed);
  }
}

/** Opens a satellite's connection to the broker. @param way asked anew for each */
export function satelliteWire(parts: {
  readonly master: string;
  readonly syncId: number;
  /** Names this process. */
  readonly process: string;
  readonly way: () => Promise<{ readonly wire: Way['wire']; readonly login: NonNullable<Way['login']> }>;
  readonly clock: Clock;
}): OpenSatelliteWire {
  const { master, syncId, clock } = parts;
  const state = siteTopic(master, syncId, 'state');
  return async (onMessage, signal, { beside } = { beside: false }) => {
    const { wire, login } = await parts.way();
    const connection = await Connection.open({
      ...{
        wire,
        login,
        clientId: `${siteClients(syncId, login.password)}${parts.process}${beside ? '-look' : ''}`,
      },
      will: { topic: state, payload: OFFLINE },
      clock,
      signal,
      onMessage: ({ payload }) => onMessage(payload),
    }).catch(refused);
    await connection.subscribe([siteTopic(master, syncId, 'down')]);
    let announced = false;
    return {
      announce: () => {
        announced = true;
        return connection.publish(state, ONLINE, { retain: true });
      },
      send: (bytes) => connection.publish(siteTopic(master, syncId, 'up'), bytes),
      closed: connection.closed,
      close: () => {
        if (announced) connection.drop('given up');
        // Without the last will: whoever was refused is not the one who is away now.
        else void connection.end();
      },
    };
  };
}

/** A broker says only that it does not let somebody in. @throws WhorlError SITES_PASSWORD, or what it was */
function refused(error: unknown): never {
  const text = describe(error);
  if (codeOf(error) === 'MQTT_CONNECT' && /not authorized|bad user/i.test(text))
    throw new WhorlError('SITES_PASSWORD', `the broker does not let this site in (${text})`, {
      cause: error,
    });
  throw error;
}
