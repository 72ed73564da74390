import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../errors.ts';
import { joined, viewOf } from '../testing.ts';
import type { CapturedLine, CapturedPacket, Crossed } from './packet.ts';
import { LINK_TYPE } from './packet.ts';
import { isCapture, readCapture } from './pcapng-read.ts';
import { captureHead, packetBlock } from './pcapng-write.ts';

const FLOOR: CapturedLine = { name: 'floor', baud: 115_200 };
const GATE: CapturedLine = { name: 'gate' };

const crossed: Arbitrary<Crossed> = fc.record({
  timeUs: fc.integer({ min: 0, max: 2 ** 52 }),
  direction: fc.constantFrom('to-terminal' as const, 'to-gateway' as const, undefined),
  bytes: fc.uint8Array({ maxLength: 60 }),
});
const packets = fc.array(fc.tuple(fc.nat(1), crossed), { maxLength: 6 });

function written(list: readonly (readonly [number, Crossed])[]): Uint8Array {
  return joined(captureHead([FLOOR, GATE]), ...list.map(([line, one]) => packetBlock(line, one)));
}

/** What is read of a capture until it ends or is found to be damaged. */
function read(bytes: Uint8Array): { packets: CapturedPacket[]; code: string | undefined } {
  const packets: CapturedPacket[] = [];
  try {
    for (const packet of readCapture(bytes)) packets.push(packet);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return { packets, code };
  }
  return { packets, code: undefined };
}

function captured([line, one]: readonly [number, Crossed]): CapturedPacket {
  const length = one.bytes.length;
  return { ...one, line: line === 0 ? FLOOR : GATE, linkType: LINK_TYPE, originalLength: length };
}

describe('a capture', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(packets, (list) => {
        expect(read(viewOf(written(list)))).toEqual({ packets: list.map(captured), code: undefined });
      }),
    );
  });

  test('that was cut anywhere has all packets before that place', () => {
    fc.assert(
      fc.property(packets, fc.nat(), (list, where) => {
        const whole = written(list);
        const cut = 4 + (where % (whole.length - 3));
        const { packets, code } = read(whole.slice(0, cut));
        let [end, complete] = [captureHead([FLOOR, GATE]).length, 0];
        for (const [line, one] of list) {
          end += packetBlock(line, one).length;
          if (end <= cut) complete += 1;
        }
        expect(packets).toEqual(list.slice(0, complete).map(captured));
        expect([undefined, 'CAPTURE_DAMAGED']).toContain(code);
      }),
    );
  });

  test('G8 that is damaged brings about nothing but an error that says so', () => {
    const change = fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(packets, fc.array(change, { minLength: 1, maxLength: 4 }), (list, changes) => {
        const bytes = written(list).slice();
        for (const [at, some] of changes) bytes.set(some, at % (bytes.length - 4));
        expect([undefined, 'CAPTURE_DAMAGED', 'CAPTURE_FORMAT']).toContain(read(bytes).code);
      }),
      { numRuns: 500 },
    );
  });

  test('of another kind is refused', () => {
    const pcap = Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0);
    expect(isCapture(pcap)).toBe(false);
    expect(read(pcap)).toEqual({ packets: [], code: 'CAPTURE_FORMAT' });
    expect(read(new Uint8Array(0)).code).toBe('CAPTURE_FORMAT');
  });

  test('of a big-endian machine is read: nanoseconds, an offset, unknown blocks and options, a packet cut short', () => {
    const u32 = (...numbers: number[]): number[] =>
      numbers.flatMap((n) => [n >>> 24, n >>> 16, n >>> 8, n].map((byte) => byte & 0xff));
    const block = (type: number, ...body: number[]): number[] => {
      const length = 12 + body.length;
      return [...u32(type, length), ...body, ...u32(length)];
    };
    const ticks = 5_000_000_123_456_789n;
    const big = Uint8Array.from([
      ...block(0x0a0d0d0a, ...u32(0x1a2b3c4d), 0, 1, 0, 0, ...u32(0xffffffff, 0xffffffff)),
      ...block(0xbad, 1, 2, 3, 4),
      ...block(
        1,
        ...[0, 147, 0, 0, ...u32(0)],
        ...[0, 2, 0, 1, 0x41, 0, 0, 0],
        ...[0, 9, 0, 1, 9, 0, 0, 0],
        ...[0, 14, 0, 8, ...u32(0, 10)],
      ),
      ...block(6, ...u32(0, Number(ticks >> 32n), Number(ticks & 0xffffffffn), 2, 9), 7, 8, 0, 0),
    ]);
    expect(read(big)).toEqual({
      packets: [
        {
          line: { name: 'A' },
          linkType: 147,
          timeUs: 5_000_000_123_456 + 10_000_000,
          direction: undefined,
          bytes: Uint8Array.of(7, 8),
          originalLength: 9,
        },
      ],
      code: undefined,
    });
  });
});
