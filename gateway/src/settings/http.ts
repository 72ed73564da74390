import { resolve } from 'node:path';
import { z } from 'zod';
import { isLoopback } from './loopback.ts';

/** The part of the configuration file that speaks of the API. */
export const httpSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Whether the API can be reached by address. The commands of this machine do not need it.'),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Where it listens: HTTP on loopback, HTTPS anywhere else; 0.0.0.0 or :: for everywhere.'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(7410)
    .describe('0 takes any that is free; `whorl status` tells it.'),
  tls: z
    .strictObject({ cert: z.string().min(1), key: z.string().min(1) })
    .optional()
    .describe(
      'PEM files, relative to this file, of a certificate of yours. Without them the gateway makes one and shows its fingerprint.',
    ),
  names: z
    .array(z.string().regex(/^[A-Za-z0-9:.-]{1,253}$/, 'a host name or an address'))
    .max(50)
    .default([])
    .describe('Names and addresses for the certificate that it makes, besides those of this machine.'),
});

export type HttpConfig = z.infer<typeof httpSchema>;

/** Whether it is spoken to over TLS: always beyond loopback, and on loopback when a certificate is given. */
export function isHttps({ host, tls }: HttpConfig): boolean {
  return tls !== undefined || !isLoopback(host);
}

/** The same with absolute paths. */
export function resolveHttp(http: HttpConfig, directory: string): HttpConfig {
  const { tls } = http;
  if (tls === undefined) return http;
  return { ...http, tls: { cert: resolve(directory, tls.cert), key: resolve(directory, tls.key) } };
}
