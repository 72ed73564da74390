import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, WhorlError } from '@whorl/protocol';
import type { Clock, Random } from '@whorl/protocol';
import type { HttpConfig } from '../settings/http.ts';
import { tlsTrouble } from '../settings/tls-trouble.ts';
import { makeCertificate } from './certificate.ts';
import { makeDirectories } from '../settings/directories.ts';

/** Certificate and key, PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface IdentityParts {
  readonly config: HttpConfig;
  /** Data directory, where a self-made certificate is kept. */
  readonly data: string;
  readonly clock: Clock;
  readonly random: Random;
}

const DAY_MS = 86_400_000;
/** Who pins a fingerprint has to be told of each new one. */
const VALID_MS = 3650 * DAY_MS;
/** Clocks of those who connect may be a little behind. */
const EARLIER_MS = DAY_MS;
/** The clock may be wrong when it is made: 1970 or 2099. It is good in the years of this release in any case. */
const RELEASED = Date.UTC(2026, 0, 1);
const SERIAL_BYTES = 16;
/** Listening there is listening at every address of the machine. */
export const ANYWHERE: readonly string[] = ['0.0.0.0', '::'];

/**
 * What the API is known by: the certificate of the configuration, or one that the gateway makes at its first start and
 * keeps.
 * @throws WhorlError HTTP_TLS
 */
export function identityOf(parts: IdentityParts): Identity {
  const { config, data, clock } = parts;
  if (config.tls !== undefined) return checkedIdentity(config.tls.cert, config.tls.key, clock);
  const folder = join(data, 'tls');
  const [cert, key] = [join(folder, 'gateway.crt'), join(folder, 'gateway.key')];
  if (!existsSync(cert) || !existsSync(key)) write(folder, { cert, key }, made(parts));
  return checkedIdentity(cert, key);
}

function made({ config, clock, random }: IdentityParts): Identity {
  const now = clock.wallTime();
  const own = ANYWHERE.includes(config.host) ? [] : [config.host];
  const names = new Set([hostname(), 'localhost', '127.0.0.1', '::1', ...own, ...config.names]);
  return makeCertificate({
    names: [...names],
    from: Math.min(now, RELEASED) - EARLIER_MS,
    until: Math.max(now, RELEASED) + VALID_MS,
    serial: random.bytes(SERIAL_BYTES),
  });
}

function write(folder: string, paths: Identity, { cert, key }: Identity): void {
  try {
    makeDirectories(folder);
    rmSync(`${paths.key}.new`, { force: true });
    writeFileSync(`${paths.key}.new`, key, { mode: 0o600, flag: 'wx', flush: true });
    if (process.platform !== 'win32') chmodSync(`${paths.key}.new`, 0o600);
    writeFileSync(`${paths.cert}.new`, cert, { flush: true });
    renameSync(`${paths.key}.new`, paths.key);
    renameSync(`${paths.cert}.new`, paths.cert);
  } catch (cause) {
    throw new WhorlError('HTTP_TLS', `${folder} could not be written: ${describe(cause)}`, { cause });
  }
}

/** @param clock none for a certificate that is accepted by its fingerprint: its dates say nothing */
function checkedIdentity(certFile: string, keyFile: string, clock?: Clock): Identity {
  try {
    const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
    // Windows has no such bits; there the directory's access list protects the file.
    if (process.platform !== 'win32' && (statSync(keyFile).mode & 0o077) !== 0)
      throw new WhorlError('HTTP_TLS', `others may read ${keyFile}; set its permissions to 0600`);
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key)))
      throw new WhorlError('HTTP_TLS', `${keyFile} is not the key of ${certFile}`);
    if (clock !== undefined && parsed.validToDate.getTime() <= clock.wallTime())
      throw new WhorlError(
        'HTTP_TLS',
        tlsTrouble(`${certFile} has expired on ${parsed.validTo}`, clock.wallTime(), 'CERT_HAS_EXPIRED'),
      );
    return { cert, key };
  } catch (cause) {
    if (cause instanceof WhorlError) throw cause;
    throw new WhorlError('HTTP_TLS', `${certFile} and ${keyFile}: ${describe(cause)}`, { cause });
  }
}
