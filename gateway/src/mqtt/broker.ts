import { randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { describe, WhorlError } from '@whorl/protocol';
import type { MqttConfig } from '../settings/schema.ts';

/** The user name that programs give; the password stands in a file. */
export const BROKER_USER = 'whorl';
const MOST_PACKET_BYTES = 256 * 1024;

export interface Broker {
  readonly port: number;
  readonly password: string;
  readonly passwordFile: string;
  stop(): Promise<void>;
}

/**
 * The embedded broker: MQTT 3.1.1, never anonymous. Programs may ask through `commands`; everything else is said by the
 * gateway alone, which is known by `own`, a client id of the moment.
 * @throws WhorlError MQTT_BROKER
 */
export async function startBroker(
  config: MqttConfig,
  data: string,
  topics: { readonly root: string; readonly own: string },
): Promise<Broker> {
  const passwordFile = join(data, 'mqtt.password');
  const password = readPassword(passwordFile);
  const aedes = await Aedes.createBroker({ id: 'whorl', heartbeatInterval: 60_000 });
  aedes.authenticate = (_client, user, given, done) => {
    done(null, user === BROKER_USER && given !== undefined && same(String(given), password));
  };
  aedes.authorizePublish = (client, packet, done) => {
    const mine = client?.id === topics.own;
    if (mine || packet.topic.startsWith(`${topics.root}/commands/`)) done(null);
    else done(new Error(`only the gateway publishes to ${packet.topic}`));
  };
  aedes.authorizeSubscribe = (_client, subscription, done) => {
    // `$SYS` would tell the gateway's own client id, which publishing is granted by.
    if (subscription.topic.startsWith(`${topics.root}/`)) done(null, subscription);
    else done(new Error(`only topics below ${topics.root}/ are here`));
  };
  const server =
    config.tls === undefined
      ? createServer(aedes.handle)
      : createTlsServer(
          { cert: readFileSync(config.tls.cert), key: readFileSync(config.tls.key) },
          aedes.handle,
        );
  aedes.on('clientError', (client) => {
    client.close();
  });
  aedes.on('connectionError', (client) => {
    client.close();
  });
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new WhorlError('MQTT_BROKER', `${config.host} port ${config.port}: ${describe(cause)}`, { cause }),
      );
    });
    server.listen(config.port, config.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    password,
    passwordFile,
    stop: () =>
      new Promise((resolve) => {
        aedes.close(() => {
          server.close(() => {
            resolve();
          });
        });
      }),
  };
}

/** Largest message that a command may be. */
export const MOST_COMMAND_BYTES = MOST_PACKET_BYTES;

function readPassword(path: string): string {
  if (!existsSync(path)) {
    const file = openSync(`${path}.new`, 'w', 0o600);
    writeSync(file, `${randomBytes(24).toString('base64url')}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.new`, path);
  }
  return readFileSync(path, 'utf8').trim();
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
