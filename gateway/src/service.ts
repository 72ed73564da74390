import { randomBytes, randomInt } from 'node:crypto';
import { describe, systemClock } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { buildApi } from './http/api.ts';
import { serveLocally } from './http/socket.ts';
import { startMqtt } from './mqtt/face.ts';
import type { Config } from './settings/config.ts';
import type { Log } from './settings/log.ts';
import { openStore } from './store/open.ts';

export const VERSION = '0.1.0';

const machineRandom: Random = { below: (bound) => randomInt(bound), bytes: (length) => randomBytes(length) };

/** A gateway with its faces, on a real machine. */
export interface Service {
  readonly gateway: Gateway;
  stop(): Promise<void>;
}

/** Starts everything that a configuration names. @throws WhorlError STORE_*, VAULT_*, GATEWAY_RUNNING, LINE_LISTEN, MQTT_* */
export async function startService(config: Config, log: Log): Promise<Service> {
  const store = openStore({ data: config.data });
  const gateway = await startGateway({
    config: config.site,
    version: VERSION,
    store,
    clock: systemClock,
    random: machineRandom,
    log,
  });
  const onFailure = (error: unknown): void => {
    log.error(
      { stack: error instanceof Error ? error.stack : undefined },
      `a request failed: ${describe(error)}`,
    );
  };
  const app = buildApi({
    operations: gateway.operations,
    store,
    hub: gateway.hub,
    clock: systemClock,
    onFailure,
  });
  await serveLocally(app, config.data);
  const mqtt = config.mqtt.enabled
    ? await startMqtt({
        config: config.mqtt,
        gateway: config.site.name,
        dataDir: config.data,
        operations: gateway.operations,
        store,
        hub: gateway.hub,
        clock: systemClock,
        log,
      })
    : undefined;
  return {
    gateway,
    async stop() {
      await mqtt?.stop();
      await app.close();
      await gateway.stop();
      await store.close();
    },
  };
}
