import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { sealedSession, toWire } from '@whorl/protocol';
import { median } from './store.ts';

const BYTES = 64;
const ROUNDS = 15;

/** A message of 64 bytes to wire bytes, beside one bare seal of as many bytes in the same run. */
export function benchSeal({ quick }: { quick: boolean }): Record<string, number> {
  const each = quick ? 2_000 : 20_000;
  const bytes = (): Uint8Array => new Uint8Array(randomBytes(32));
  const session = sealedSession('gateway', { forth: bytes(), back: bytes(), hash: bytes() });
  const key = createSecretKey(bytes());
  // Type, transfer and index are part of the message.
  const body = { transfer: 1, index: 2, data: new Uint8Array(randomBytes(BYTES - 5)) };
  const message = new Uint8Array(randomBytes(BYTES));
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = timed(each, (i) => bareSeal(key, message, i));
    const framed = timed(each, () => {
      const header = { address: 7, sequence: session.nextSequence(), fromTerminal: false, attention: false };
      toWire(session, header, 'chunk', body);
    });
    ratios.push(bare / framed);
  }
  return { 'frame.seal': median(ratios) };
}

function bareSeal(key: ReturnType<typeof createSecretKey>, message: Uint8Array, counter: number): void {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(counter, 4);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 8 });
  cipher.setAAD(message.subarray(0, 4), { plaintextLength: BYTES });
  cipher.update(message);
  cipher.final();
  cipher.getAuthTag();
}

function timed(count: number, work: (index: number) => void): number {
  const began = performance.now();
  for (let i = 0; i < count; i += 1) work(i);
  return performance.now() - began;
}
