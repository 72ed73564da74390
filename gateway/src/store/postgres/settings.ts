import { readFileSync } from 'node:fs';
import { describe, WhorlError } from '@whorl/protocol';
import { serverPlace } from '../../settings/database.ts';
import type { DatabaseConfig } from '../../settings/database.ts';
import { readSecretFile } from '../../settings/secret-file.ts';
import type { ClientSettings } from './client.ts';

/**
 * What a connection needs, with the password in hand.
 * @throws WhorlError STORE_REFUSED when password or certificate cannot be read
 */
export function serverSettings({ url, passwordFile, ca, schema, member }: DatabaseConfig): ClientSettings {
  const place = serverPlace(url);
  if (place === undefined) throw new WhorlError('STORE_REFUSED', `${url} names no database server`);
  const password = readSecretFile(passwordFile, 'STORE_REFUSED');
  return { ...place, password, schema, member, ...(ca === undefined ? {} : { ca: authority(ca) }) };
}

function authority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WhorlError('STORE_REFUSED', `${path} could not be read: ${describe(cause)}`, { cause });
  }
}
