import { resolve } from 'node:path';
import { z } from 'zod';
import { isLoopback } from './loopback.ts';
import { brokerPlace } from './mqtt.ts';
import type { MqttConfig } from './mqtt.ts';

/** The master's sync id. */
export const MASTER_ID = 1;
/** Highest sync id. */
export const MOST_SITES = 64;

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'small letters, digits and dashes, at most 32');

const master = z.strictObject({
  name: name.describe('`gateway.name` of the master.'),
  url: z
    .string()
    .refine(
      (url) => brokerPlace(url) !== undefined,
      'mqtt://host:port or mqtts://host:port, without user, password and path',
    )
    .describe(
      'The broker that master and satellites meet at: `mqtts://host:port`; `mqtt://` only on loopback.',
    ),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM file of the authority that signed the broker’s certificate, when the system knows it not.',
    ),
  user: z.string().min(1).max(64).describe('As the master’s list has it.'),
  passwordFile: z
    .string()
    .min(1)
    .describe(
      'File with the password of the master’s list, which only its owner may read; relative to this file.',
    ),
});

/** The part of the configuration file that speaks of other gateways. */
export const sitesSchema = z.strictObject({
  role: z
    .enum(['standalone', 'master', 'satellite'])
    .default('standalone')
    .describe('What this gateway is among those of a company.'),
  syncId: z
    .int()
    .min(1)
    .max(MOST_SITES)
    .optional()
    .describe('1 is the master’s; each satellite has one of its own, 2 to 64.'),
  master: master.optional().describe('A satellite’s master.'),
});

export type SitesConfig = z.infer<typeof sitesSchema>;
export type MasterPlace = z.infer<typeof master>;

/** What is wrong between the members of this part and others. */
export function sitesClash(
  sites: SitesConfig,
  gateway: string,
  mqtt: Pick<MqttConfig, 'enabled'>,
): { readonly keys: string[]; readonly text: string } | undefined {
  const { role, syncId, master: above } = sites;
  if (role === 'standalone') {
    if (syncId === undefined && above === undefined) return undefined;
    return { keys: ['role'], text: '`syncId` and `master` are for role master or satellite' };
  }
  if (role === 'master') return masterClash(sites, mqtt);
  if (syncId === undefined || syncId === MASTER_ID)
    return {
      keys: ['syncId'],
      text: `a satellite has a sync id of its own, 2 to ${MOST_SITES}; 1 is the master's`,
    };
  if (above === undefined)
    return { keys: ['master'], text: 'a satellite needs `master`: name, url, user, passwordFile' };
  if (above.name === gateway)
    return { keys: ['master', 'name'], text: `the master cannot be called as this gateway is, ${gateway}` };
  const place = brokerPlace(above.url);
  if (place === undefined || place.tls || isLoopback(place.host)) return undefined;
  return { keys: ['master', 'url'], text: 'beyond loopback the broker is spoken to over TLS: mqtts://' };
}

function masterClash(
  { syncId, master: above }: SitesConfig,
  mqtt: Pick<MqttConfig, 'enabled'>,
): { readonly keys: string[]; readonly text: string } | undefined {
  if (syncId !== undefined && syncId !== MASTER_ID)
    return { keys: ['syncId'], text: `the master's sync id is ${MASTER_ID}, not ${syncId}` };
  if (above !== undefined) return { keys: ['master'], text: 'the master has no master' };
  if (!mqtt.enabled)
    return { keys: ['role'], text: 'satellites reach the master over MQTT: set `mqtt.enabled`' };
  return undefined;
}

/** The same with absolute paths. */
export function resolveSites(sites: SitesConfig, directory: string): SitesConfig {
  const { master: above } = sites;
  if (above === undefined) return sites;
  return {
    ...sites,
    master: {
      ...above,
      passwordFile: resolve(directory, above.passwordFile),
      ...(above.ca === undefined ? {} : { ca: resolve(directory, above.ca) }),
    },
  };
}

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as 22:00');

/** When and how fast a satellite syncs; can be changed while it runs. */
export const siteSyncSchema = z.strictObject({
  intervalMinutes: z.int().min(0).max(10_080).describe('Minutes from one exchange to the next; 0 pauses.'),
  continuous: z.boolean().describe('Whether changes are exchanged as they happen.'),
  quiet: z
    .array(z.strictObject({ from: time, to: time }))
    .max(10)
    .describe('Hours in which no exchange begins by itself, by the clock on the wall.'),
  bytesPerSecond: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .describe('At most so many bytes a second; 0 is no limit.'),
});
export type SiteSyncSettings = z.infer<typeof siteSyncSchema>;

export const DEFAULT_SITE_SYNC: SiteSyncSettings = {
  intervalMinutes: 5,
  continuous: true,
  quiet: [],
  bytesPerSecond: 0,
};
