import { readFileSync } from 'node:fs';
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { describe, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { EventHub } from '../events/hub.ts';
import type { Log } from '../settings/log.ts';
import { isLoopback } from '../settings/loopback.ts';
import { brokerPlace } from '../settings/mqtt.ts';
import type { Audit } from '../access/audit.ts';
import type { BrokerPlace, ExternalBroker, MqttConfig } from '../settings/mqtt.ts';
import type { Operations } from '../sync/operations.ts';
import type { TaskOperations } from '../tasks/operations.ts';
import { BoundedStream } from './bounded-stream.ts';
import { BROKER_USER, startBroker } from './broker.ts';
import { KeptConnection } from './kept-connection.ts';
import type { Way } from './kept-connection.ts';
import { readPassword } from './password.ts';
import type { MqttStore } from './publisher.ts';

export interface MqttParts {
  readonly config: MqttConfig;
  /** Name of the gateway, part of every topic. */
  readonly gateway: string;
  /** The embedded broker's password stands there. */
  readonly dataDir: string;
  readonly operations: Operations;
  readonly tasks: Pick<TaskOperations, 'watch' | 'syncs' | 'cancel'>;
  readonly store: MqttStore;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<Audit, 'act'>;
}

/** MQTT at work. */
export interface MqttFace {
  /** Where programs reach the embedded broker, when it runs. */
  readonly brokerUrl?: string;
  /** Where its password stands; the user is {@link BROKER_USER}. */
  readonly passwordFile?: string;
  /** Says that the gateway is offline, and ends. */
  stop(): Promise<void>;
}

/** What a broker may send at once: commands of any size, to be refused, but not a flood. */
const BROKER_BOUNDS = { first: 1024, later: 16 * 1024 * 1024, unread: 64 * 1024 * 1024 };

/**
 * Publishes what happens, and answers what programs ask: over the embedded broker, or over one that the configuration
 * names. MQTT.md has the topics. A broker that is away is tried again for ever, and no event is lost meanwhile.
 * @returns with the embedded broker, once the gateway's state stands there
 * @throws WhorlError MQTT_BROKER, MQTT_PASSWORD, MQTT_TLS
 */
export async function startMqtt(parts: MqttParts): Promise<MqttFace> {
  const { config, gateway, log } = parts;
  const root = `whorl/${gateway}`;
  const clientId = `whorl-${gateway}`;
  const { external } = config;
  if (external !== undefined) {
    const way = (): Way => externalWay(external);
    // Files that cannot be read are better told at the start; later they are read again for each connection.
    way();
    const kept = new KeptConnection({ ...parts, root, clientId, where: external.url, way });
    void kept.start();
    return { stop: () => kept.stop() };
  }
  const broker = await startBroker({ ...parts, root, ownId: clientId });
  const way = (): Way => ({ wire: () => broker.join(), login: undefined });
  const kept = new KeptConnection({ ...parts, root, clientId, where: broker.url, way });
  await kept.start();
  log.info(
    { url: broker.url },
    `mqtt: broker at ${broker.url}, user ${BROKER_USER}, password in ${broker.passwordFile}`,
  );
  return {
    brokerUrl: broker.url,
    passwordFile: broker.passwordFile,
    async stop() {
      await kept.stop();
      await broker.stop();
    },
  };
}

/** @throws WhorlError MQTT_PASSWORD, MQTT_TLS */
function externalWay({ url, user, passwordFile, ca }: ExternalBroker): Way {
  const place = brokerPlace(url);
  if (place === undefined || (!place.tls && !isLoopback(place.host)))
    throw new WhorlError('MQTT_TLS', `${url} is neither on loopback nor mqtts://`);
  const authority = ca === undefined ? undefined : readAuthority(ca);
  return {
    wire: () => new BoundedStream(openSocket(place, authority), BROKER_BOUNDS),
    login: { user, password: readPassword(passwordFile) },
  };
}

function openSocket({ host, port, tls }: BrokerPlace, ca: Buffer | undefined): Duplex {
  if (!tls) return connect({ host, port });
  return connectTls({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
}

function readAuthority(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WhorlError('MQTT_TLS', `${path}: ${describe(cause)}`, { cause });
  }
}
