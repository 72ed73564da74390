import { createCipheriv, createDecipheriv } from 'node:crypto';
import { WhorlError } from '../errors.ts';
import { nonceOf } from '../session/noise.ts';
import { CIPHER, SEAL_BYTES } from '../session/sealed.ts';

/*
 * SPEC 8.1: what only some terminals of a line may hold is said to all, and sealed once more under a key that those have.
 */

/** Bytes by which a sealed chunk is longer. */
export const CHUNK_SEAL_BYTES = SEAL_BYTES;
const SEAL = { authTagLength: CHUNK_SEAL_BYTES };

/**
 * A chunk that only those can read who have the key of its object.
 * @param key 32 bytes, of this object alone: each index seals one content
 */
export function sealChunk(key: Uint8Array, index: number, data: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonceOf(index), SEAL);
  const sealed = cipher.update(data);
  cipher.final();
  return Buffer.concat([sealed, cipher.getAuthTag()]);
}

/** @throws WhorlError FRAME_FORGED */
export function openChunk(key: Uint8Array, index: number, sealed: Uint8Array): Uint8Array {
  const end = Math.max(0, sealed.length - CHUNK_SEAL_BYTES);
  try {
    const decipher = createDecipheriv(CIPHER, key, nonceOf(index), SEAL);
    decipher.setAuthTag(sealed.subarray(end));
    const clear = decipher.update(sealed.subarray(0, end));
    decipher.final();
    return clear;
  } catch (cause) {
    throw new WhorlError('FRAME_FORGED', `chunk ${index.toString()} of a shared object`, { cause });
  }
}
