import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { thrownCode } from '../testing.ts';
import VECTORS from './noise-vectors.json' with { type: 'json' };
import { NoiseInitiator, nonceOf, rekeyed, respond } from './noise.ts';
import type { NoiseParts } from './noise.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const fresh = (): Uint8Array => new Uint8Array(randomBytes(32));

function parts(changes: Partial<NoiseParts> = {}): NoiseParts {
  return { psk: bytes(VECTORS.psk), prologue: bytes(VECTORS.prologue), ephemeral: fresh(), ...changes };
}

test('G3 the handshake is the published one, byte for byte', () => {
  const [first, second] = VECTORS.handshake;
  const initiator = new NoiseInitiator(parts({ ephemeral: bytes(VECTORS.initiator) }));
  const begun = initiator.begin(bytes(first?.payload ?? ''));
  expect(hex(begun)).toBe(first?.message);
  const responded = respond(
    parts({ ephemeral: bytes(VECTORS.responder) }),
    begun,
    bytes(second?.payload ?? ''),
  );
  expect(hex(responded.payload)).toBe(first?.payload);
  expect(hex(responded.answer)).toBe(second?.message);
  const finished = initiator.finish(responded.answer);
  expect(hex(finished.payload)).toBe(second?.payload);
  expect(responded.keys).toEqual(finished.keys);
  for (const [index, { payload, message }] of VECTORS.transport.entries()) {
    const key = index % 2 === 0 ? finished.keys.forth : finished.keys.back;
    const cipher = createCipheriv('chacha20-poly1305', key, nonceOf(index >> 1), { authTagLength: 16 });
    const body = cipher.update(bytes(payload));
    cipher.final();
    expect(hex(Buffer.concat([body, cipher.getAuthTag()]))).toBe(message);
  }
});

describe('G3 a handshake fails at the end that would be deceived', () => {
  test.each([
    ['another key', parts({ psk: fresh() })],
    ['another prologue: another terminal’s', parts({ prologue: bytes('00') })],
  ])('%s', (_, other) => {
    const initiator = new NoiseInitiator(parts());
    expect(thrownCode(() => respond(other, initiator.begin()))).toBe('FRAME_FORGED');
  });

  test('anything changed on the way', () => {
    const begun = new NoiseInitiator(parts()).begin();
    for (let bit = 0; bit < 8 * begun.length; bit += 1) {
      const damaged = begun.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(thrownCode(() => respond(parts(), damaged))).toBe('FRAME_FORGED');
    }
    const initiator = new NoiseInitiator(parts());
    const { answer } = respond(parts(), initiator.begin());
    answer[40] = (answer[40] ?? 0) ^ 1;
    expect(thrownCode(() => initiator.finish(answer))).toBe('FRAME_FORGED');
  });

  test('a first message that is played again gives keys that its player does not have', () => {
    const initiator = new NoiseInitiator(parts());
    const begun = initiator.begin();
    const once = respond(parts(), begun).keys;
    const again = respond(parts(), begun).keys;
    expect(hex(once.forth)).not.toBe(hex(again.forth));
  });

  test('a key of low order, or one that is cut short', () => {
    const initiator = new NoiseInitiator(parts());
    const { answer } = respond(parts(), initiator.begin());
    answer.fill(0, 0, 32);
    expect(thrownCode(() => initiator.finish(answer))).toBe('FRAME_FORGED');
    expect(thrownCode(() => respond(parts(), new Uint8Array(47)))).toBe('FRAME_FORGED');
  });
});

test('the next key is not the last one, and is the same at both ends', () => {
  const key = fresh();
  expect(rekeyed(key)).toEqual(rekeyed(key));
  expect(rekeyed(key)).not.toEqual(key);
  expect(rekeyed(key)).toHaveLength(32);
});
