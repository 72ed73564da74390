import { join } from 'node:path';
import process from 'node:process';
import { WhorlError } from '@whorl/protocol';
import { writeDurably } from './durable.ts';
import { machine } from './ground.ts';
import type { Files } from './ground.ts';
import { KEY_BYTES } from './vault.ts';
import type { RandomBytes } from './vault.ts';

/**
 * The master key of a database, from a file that only its owner can read: 32 bytes in Base64.
 * @param create makes one when there is none; to be given only for a database that holds nothing yet
 * @throws WhorlError VAULT_KEY_MISSING, VAULT_KEY_OPEN, VAULT_KEY_WRONG
 */
function readMasterKey(files: Files, path: string, create: RandomBytes | undefined): Uint8Array {
  if (!files.existsSync(path)) {
    if (create === undefined) throw new WhorlError('VAULT_KEY_MISSING', `${path} is not there`);
    // Durable before the first user is: what is sealed under a lost key is lost.
    writeDurably(files, path, `${Buffer.from(create(KEY_BYTES)).toString('base64')}\n`);
  }
  // Windows has no such bits; there the directory's access list protects the file.
  if (process.platform !== 'win32' && (files.statSync(path).mode & 0o077) !== 0)
    throw new WhorlError('VAULT_KEY_OPEN', path);
  return keyOf(files.readFileSync(path, 'utf8'), path);
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
  files: Files = machine.files,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Uint8Array {
  const { CREDENTIALS_DIRECTORY: credentials, WHORL_MASTER_KEY: written } = environment;
  const credential = credentials === undefined ? undefined : join(credentials, 'whorl-master-key');
  if (credential !== undefined && files.existsSync(credential))
    return keyOf(files.readFileSync(credential, 'utf8'), credential);
  return written === undefined ? readMasterKey(files, path, create) : keyOf(written, 'WHORL_MASTER_KEY');
}
