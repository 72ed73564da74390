import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thrownCode } from '../testing.ts';
import { arbitraryHeader } from './arbitrary.ts';
import { HEADER_BYTES, readHeader, writeHeader } from './frame.ts';

test('a header is read as it was written', () => {
  fc.assert(
    fc.property(arbitraryHeader(), fc.boolean(), (header, sealed) => {
      const out = new Uint8Array(HEADER_BYTES);
      writeHeader(header, sealed, out);
      expect(readHeader(out)).toEqual({ ...header, sealed });
    }),
  );
});

test('a header of another version, or with bits that mean nothing yet, is FRAME_VERSION', () => {
  for (const control of [0x00, 0x80, 0xc0, 0x41, 0x42, 0x43]) {
    expect(thrownCode(() => readHeader(Uint8Array.of(control, 1, 0, 0)))).toBe('FRAME_VERSION');
  }
});

test('less than a header is FRAME_TOO_SHORT', () => {
  expect(thrownCode(() => readHeader(Uint8Array.of(0x40, 1, 0)))).toBe('FRAME_TOO_SHORT');
});
