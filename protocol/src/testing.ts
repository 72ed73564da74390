/** For tests only. */
import { codeOf } from './errors.ts';
import type { ErrorCode } from './errors.ts';

/**
 * The code of the WhorlError that `work` throws; `undefined` when it throws none.
 * @throws whatever else `work` throws, which no input may bring about
 */
export function thrownCode(work: () => unknown): ErrorCode | undefined {
  try {
    work();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code;
  }
  return undefined;
}

/** The same bytes as a view into the middle of a larger buffer, as they come from a socket's pool. */
export function viewOf(bytes: Uint8Array): Uint8Array {
  const pool = new Uint8Array(bytes.length + 16).fill(0xcd);
  pool.set(bytes, 7);
  return pool.subarray(7, 7 + bytes.length);
}

/** One long array of several. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
