import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { WhorlError } from '@whorl/protocol';

/**
 * The master key of a database, from a file that only its owner can read.
 * @param create makes one when there is none: for a database that is new as well
 * @throws WhorlError VAULT_KEY_MISSING, VAULT_KEY_OPEN
 */
export function readMasterKey(path: string, create: boolean): Uint8Array {
  if (!existsSync(path)) {
    if (!create) throw new WhorlError('VAULT_KEY_MISSING', `${path} is not there`);
    writeKey(path);
  }
  // Windows has no such bits; there the directory's access list protects the file.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new WhorlError('VAULT_KEY_OPEN', path);
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
}

function writeKey(path: string): void {
  const file = openSync(`${path}.new`, 'w', 0o600);
  writeSync(file, `${randomBytes(32).toString('base64')}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}
