import type { Clock } from '@whorl/protocol';
import type { EventHub } from '../events/hub.ts';
import type { Log } from '../settings/log.ts';
import type { Audit } from '../access/audit.ts';
import type { MqttConfig } from '../settings/mqtt.ts';
import type { Operations } from '../sync/operations.ts';
import type { TaskOperations } from '../tasks/operations.ts';
import { BROKER_USER, startBroker } from './broker.ts';
import type { BrokerSites } from './site-gate.ts';
import { KeptConnection } from './kept-connection.ts';
import type { Way } from './kept-connection.ts';
import type { MqttStore } from './publisher.ts';
import { externalWay } from './ways.ts';

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
  /** Satellites that the embedded broker lets in. */
  readonly sites?: BrokerSites | undefined;
  /** How a broker is reached; as the configuration says by default. A rig hands in one in memory. */
  readonly way?: (() => Way) | undefined;
}

/** MQTT at work. */
export interface MqttFace {
  /** Where programs reach the embedded broker, when it runs. */
  readonly brokerUrl?: string;
  /** Where its password stands; the user is {@link BROKER_USER}. */
  readonly passwordFile?: string;
  /** How the gateway reaches the broker, for connections besides its own. @throws WhorlError MQTT_PASSWORD, MQTT_TLS */
  readonly way: () => Way;
  /** Says that the gateway is offline, and ends. */
  stop(): Promise<void>;
}

/**
 * Publishes what happens, and answers what programs ask: over the embedded broker, or over one that the configuration
 * names. MQTT.md has the topics. A broker that is away is tried again for ever, and no event is lost meanwhile.
 * @returns with the embedded broker, once the gateway's state stands there
 * @throws WhorlError MQTT_BROKER, MQTT_PASSWORD, MQTT_TLS
 */
export async function startMqtt(parts: MqttParts): Promise<MqttFace> {
  const { config, gateway, log, way: given } = parts;
  const root = `whorl/${gateway}`;
  const clientId = `whorl-${gateway}`;
  const { external } = config;
  if (given !== undefined) {
    const kept = new KeptConnection({ ...parts, root, clientId, where: 'the broker', way: given });
    void kept.start();
    return { way: given, stop: () => kept.stop() };
  }
  if (external !== undefined) {
    const way = (): Way => externalWay(external);
    // Files that cannot be read are better told at the start; later they are read again for each connection.
    way();
    const kept = new KeptConnection({ ...parts, root, clientId, where: external.url, way });
    void kept.start();
    return { way, stop: () => kept.stop() };
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
    way,
    async stop() {
      await kept.stop();
      await broker.stop();
    },
  };
}
