import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { describe, WhorlError } from '@whorl/protocol';
import { readSecretFile } from '../settings/secret-file.ts';

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
  return readSecretFile(path, 'MQTT_PASSWORD');
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
