import { pbkdf2Sync, timingSafeEqual } from 'node:crypto';

/** Bytes of a verifier's salt. */
export const PIN_SALT_BYTES = 16;

const SCHEME = 1;
const HASH_BYTES = 32;
const HEAD_BYTES = 5;
/** Half a second on a small processor; a stolen verifier of six digits still falls in a day, so it is kept secret. */
const ROUNDS = 20_000;

/**
 * What a PIN is checked by: scheme 1 (1 byte), rounds (4), salt (16), PBKDF2 with HMAC-SHA-256 of the PIN's digits in
 * ASCII (32).
 * @param salt random, 16 bytes
 */
export function pinVerifier(pin: string, salt: Uint8Array): Uint8Array {
  const verifier = new Uint8Array(HEAD_BYTES + PIN_SALT_BYTES + HASH_BYTES);
  verifier[0] = SCHEME;
  new DataView(verifier.buffer).setUint32(1, ROUNDS, true);
  verifier.set(salt, HEAD_BYTES);
  verifier.set(derive(pin, salt, ROUNDS), HEAD_BYTES + PIN_SALT_BYTES);
  return verifier;
}

/** Whether a PIN is the one that a verifier was made of; never for a verifier of another scheme. */
export function isPin(pin: string, verifier: Uint8Array): boolean {
  if (verifier.length !== HEAD_BYTES + PIN_SALT_BYTES + HASH_BYTES || verifier[0] !== SCHEME) return false;
  const rounds = new DataView(verifier.buffer, verifier.byteOffset).getUint32(1, true);
  if (rounds === 0 || rounds > 10 * ROUNDS) return false;
  const salt = verifier.subarray(HEAD_BYTES, HEAD_BYTES + PIN_SALT_BYTES);
  return timingSafeEqual(derive(pin, salt, rounds), verifier.subarray(HEAD_BYTES + PIN_SALT_BYTES));
}

function derive(pin: string, salt: Uint8Array, rounds: number): Uint8Array {
  return pbkdf2Sync(Buffer.from(pin, 'ascii'), salt, rounds, HASH_BYTES, 'sha256');
}
