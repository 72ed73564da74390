import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PacketMeter } from './packet-meter.ts';

/** A packet of a type with so many bytes of body. */
function packet(type: number, length: number): Uint8Array {
  const header = [type];
  let rest = length;
  do {
    header.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Uint8Array.from([...header, ...new Uint8Array(length).fill(0xff)]);
}

function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const cut: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...cut, bytes.subarray(at)];
}

test('packets within bounds pass, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 5 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 50 }),
      (first, later, cuts) => {
        const stream = Buffer.concat([packet(0x10, first), ...later.map((length) => packet(0x30, length))]);
        const meter = new PacketMeter(50, 20_000);
        expect(pieces(stream, cuts).every((piece) => meter.take(piece))).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

test.each([
  ['a first packet', [packet(0x10, 51)]],
  ['a later packet', [packet(0x10, 0), packet(0x30, 201)]],
])('%s that is too large is known by its header', (_, packets) => {
  const meter = new PacketMeter(50, 200);
  const last = packets.pop() ?? new Uint8Array();
  for (const before of packets) expect(meter.take(before)).toBe(true);
  expect(meter.take(last.subarray(0, 3))).toBe(false);
});

test('a length without end is no packet', () => {
  const meter = new PacketMeter(1 << 30, 1 << 30);
  expect(meter.take(Uint8Array.of(0x10, 0x80, 0x80, 0x80))).toBe(true);
  expect(meter.take(Uint8Array.of(0x80))).toBe(false);
});
