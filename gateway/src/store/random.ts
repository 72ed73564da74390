import { randomFillSync } from 'node:crypto';
import type { RandomBytes } from './vault.ts';

const POOL_BYTES = 4096;

/** Random bytes of the system, drawn in larger portions: a call costs far more than the few bytes of a key or nonce. */
export function pooledRandom(): RandomBytes {
  const pool = new Uint8Array(POOL_BYTES);
  let at = POOL_BYTES;
  return (length) => {
    if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length));
    if (length > POOL_BYTES - at) {
      randomFillSync(pool);
      at = 0;
    }
    const bytes = pool.slice(at, at + length);
    // What was handed out stays nowhere else.
    pool.fill(0, at, at + length);
    at += length;
    return bytes;
  };
}
