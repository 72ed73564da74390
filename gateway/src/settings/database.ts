import { resolve } from 'node:path';
import { z } from 'zod';
import { isLoopback } from './loopback.ts';

/** The part of the configuration file that names a database server. */
export const databaseSchema = z.strictObject({
  url: z
    .string()
    .refine(
      (url) => serverPlace(url) !== undefined,
      'postgres://user@host:port/database, without password and parameters',
    )
    .describe('`postgres://user@host:port/database`; beyond loopback it is spoken to over TLS.'),
  passwordFile: z
    .string()
    .min(1)
    .describe('File with the password, which only its owner may read; relative to this file.'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM file of the authority that signed the server’s certificate, when the system knows it not.',
    ),
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'small letters, digits and _')
    .default('whorl')
    .describe('Where the tables are; made at the first start.'),
  member: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'small letters, digits and dashes, at most 32')
    .optional()
    .describe('Name of this process among several that share the schema, each with a name of its own.'),
});

export type DatabaseConfig = z.infer<typeof databaseSchema>;

/** For whoever has to be alone on the database, whatever others share it at other times. */
export function alone({ member: _, ...database }: DatabaseConfig): DatabaseConfig {
  return database;
}

/** Where a database server is. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly tls: boolean;
}

/** What a server's URL says; `undefined` when it is none that the gateway takes. */
export function serverPlace(text: string): ServerPlace | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const database = decodeURIComponent(pathname.slice(1));
  const isWhole = hostname !== '' && username !== '' && database !== '' && !database.includes('/');
  if (!isWhole || password + search + hash !== '' || !/^postgres(?:ql)?:$/.test(protocol)) return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    ...{ host, port: port === '' ? 5432 : Number(port) },
    ...{ user: decodeURIComponent(username), database, tls: !isLoopback(host) },
  };
}

/** The same with absolute paths. */
export function resolveDatabase(config: DatabaseConfig, directory: string): DatabaseConfig {
  const { passwordFile, ca } = config;
  return {
    ...config,
    passwordFile: resolve(directory, passwordFile),
    ...(ca === undefined ? {} : { ca: resolve(directory, ca) }),
  };
}
