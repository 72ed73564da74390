import { pbkdf2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import { isPin, PIN_SALT_BYTES, pinVerifier } from './pin.ts';

const salt = new Uint8Array(PIN_SALT_BYTES).fill(7);

test('P1 a verifier tells the right PIN from others, and is the same on every machine', () => {
  const verifier = pinVerifier('482913', salt);
  expect(isPin('482913', verifier)).toBe(true);
  expect(isPin('482914', verifier)).toBe(false);
  expect(isPin('', verifier)).toBe(false);
  expect(Buffer.from(verifier.subarray(21))).toEqual(pbkdf2Sync('482913', salt, 20_000, 32, 'sha256'));
});

test('a verifier that is cut, of another scheme, or that would take for ever is nobody’s', () => {
  const verifier = pinVerifier('1234', salt);
  expect(isPin('1234', verifier.subarray(1))).toBe(false);
  expect(isPin('1234', Uint8Array.from(verifier).fill(2, 0, 1))).toBe(false);
  expect(isPin('1234', Uint8Array.from(verifier).fill(0xff, 1, 5))).toBe(false);
});
