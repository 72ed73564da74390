import { resolve } from 'node:path';
import { z } from 'zod';
import { isLoopback } from './loopback.ts';

const external = z.strictObject({
  url: z
    .string()
    .refine(
      (url) => brokerPlace(url) !== undefined,
      'mqtt://host:port or mqtts://host:port, without user, password and path',
    )
    .describe('`mqtts://host:port`; `mqtt://` only on loopback.'),
  user: z.string().min(1).max(256),
  passwordFile: z
    .string()
    .min(1)
    .describe('File with the password, which only its owner may read; relative to this file.'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM file of the authority that signed the broker’s certificate, when the system knows it not.',
    ),
});

/** The part of the configuration file that speaks of MQTT. */
export const mqttSchema = z.strictObject({
  enabled: z.boolean().default(false),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Where the embedded broker listens; without TLS only on loopback.'),
  port: z.int().min(0).max(65_535).default(1883),
  tls: z
    .strictObject({ cert: z.string().min(1), key: z.string().min(1) })
    .optional()
    .describe('PEM files for the embedded broker, relative to this file.'),
  external: external.optional().describe('A broker of yours; then the embedded one is not started.'),
});

export type MqttConfig = z.infer<typeof mqttSchema>;
export type ExternalBroker = NonNullable<MqttConfig['external']>;

/** Where a broker is. */
export interface BrokerPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** What a broker's URL says; `undefined` when it is none that the gateway takes. */
export function brokerPlace(text: string): BrokerPlace | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const bare = username + password + search + hash === '' && (pathname === '' || pathname === '/');
  if (!bare || hostname === '' || (protocol !== 'mqtt:' && protocol !== 'mqtts:')) return undefined;
  const tls = protocol === 'mqtts:';
  const usual = tls ? 8883 : 1883;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? usual : Number(port), tls };
}

/** What is wrong between the members of this part: passwords and events never cross a network in clear. */
export function mqttClash(mqtt: MqttConfig): { readonly keys: string[]; readonly text: string } | undefined {
  if (!mqtt.enabled) return undefined;
  if (mqtt.external === undefined) {
    if (mqtt.tls !== undefined || isLoopback(mqtt.host)) return undefined;
    return { keys: ['host'], text: 'beyond loopback the broker needs `tls` with cert and key' };
  }
  const place = brokerPlace(mqtt.external.url);
  if (place === undefined || place.tls || isLoopback(place.host)) return undefined;
  return { keys: ['external', 'url'], text: 'beyond loopback the broker is spoken to over TLS: mqtts://' };
}

/** The same with absolute paths. */
export function resolveMqtt(mqtt: MqttConfig, directory: string): MqttConfig {
  const { tls, external: other } = mqtt;
  return {
    ...mqtt,
    ...(tls === undefined
      ? {}
      : { tls: { cert: resolve(directory, tls.cert), key: resolve(directory, tls.key) } }),
    ...(other === undefined
      ? {}
      : {
          external: {
            ...other,
            passwordFile: resolve(directory, other.passwordFile),
            ...(other.ca === undefined ? {} : { ca: resolve(directory, other.ca) }),
          },
        }),
  };
}
