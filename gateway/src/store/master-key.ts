import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { WhorlError } from '@whorl/protocol';
import { KEY_BYTES } from './vault.ts';
import type { RandomBytes } from './vault.ts';

/**
 * The master key of a database, from a file that only its owner can read: 32 bytes in Base64.
 * @param create makes one when there is none; to be given only for a database that holds nothing yet
 * @throws WhorlError VAULT_KEY_MISSING, VAULT_KEY_OPEN, VAULT_KEY_WRONG
 */
function readMasterKey(path: string, create: RandomBytes | undefined): Uint8Array {
  if (!existsSync(path)) {
    if (create === undefined) throw new WhorlError('VAULT_KEY_MISSING', `${path} is not there`);
    writeKey(path, create(KEY_BYTES));
  }
  // Windows has no such bits; there the directory's access list protects the file.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new WhorlError('VAULT_KEY_OPEN', path);
  return keyOf(readFileSync(path, 'utf8'), path);
}

/** @param place for the message */
function keyOf(written: string, place: string): Uint8Array {
  const text = written.trim();
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES || key.toString('base64') !== text)
    throw new WhorlError('VAULT_KEY_WRONG', `${place} does not hold ${KEY_BYTES} bytes in Base64`);
  return key;
}

/**
 * The master key from where this machine has it: a systemd credential `whorl-master-key`, the variable
 * WHORL_MASTER_KEY, else the file.
 * @throws as {@link readMasterKey}
 */
export function masterKey(
  path: string,
  create: RandomBytes | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Uint8Array {
  const { CREDENTIALS_DIRECTORY: credentials, WHORL_MASTER_KEY: written } = environment;
  const credential = credentials === undefined ? undefined : join(credentials, 'whorl-master-key');
  if (credential !== undefined && existsSync(credential))
    return keyOf(readFileSync(credential, 'utf8'), credential);
  return written === undefined ? readMasterKey(path, create) : keyOf(written, 'WHORL_MASTER_KEY');
}

/** Durable before the first user is: what is sealed under a lost key is lost. */
function writeKey(path: string, key: Uint8Array): void {
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  const file = openSync(fresh, 'wx', 0o600);
  try {
    writeSync(file, `${Buffer.from(key).toString('base64')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  syncDirectory(dirname(path));
}

/** A rename is durable once its directory is; Windows opens no directories and sees to it by itself. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
