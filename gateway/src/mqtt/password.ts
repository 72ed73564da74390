import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
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
import { describe, WhorlError } from '@whorl/protocol';

const LEAST_CHARACTERS = 12;

/**
 * The embedded broker's password, made at its first start.
 * @throws WhorlError MQTT_PASSWORD
 */
export function brokerPassword(path: string): string {
  try {
    if (!existsSync(path)) writePassword(path);
  } catch (cause) {
    throw new WhorlError('MQTT_PASSWORD', `${path} could not be written: ${describe(cause)}`, { cause });
  }
  const password = readPassword(path);
  if (password.length < LEAST_CHARACTERS)
    throw new WhorlError('MQTT_PASSWORD', `${path} holds fewer than ${LEAST_CHARACTERS} characters`);
  return password;
}

/**
 * A password from a file that only its owner can read.
 * @throws WhorlError MQTT_PASSWORD
 */
export function readPassword(path: string): string {
  try {
    // Windows has no such bits; there the directory's access list protects the file.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
      throw new WhorlError('MQTT_PASSWORD', `others may read ${path}; set its permissions to 0600`);
    const password = readFileSync(path, 'utf8').trim();
    if (password === '') throw new WhorlError('MQTT_PASSWORD', `${path} is empty`);
    return password;
  } catch (cause) {
    if (cause instanceof WhorlError) throw cause;
    throw new WhorlError('MQTT_PASSWORD', `${path} could not be read: ${describe(cause)}`, { cause });
  }
}

/** Compares without telling by the time it takes how much of it was right. */
export function samePassword(given: Uint8Array, right: string): boolean {
  return timingSafeEqual(digest(given), digest(Buffer.from(right)));
}

function writePassword(path: string): void {
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, `${randomBytes(24).toString('base64url')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
