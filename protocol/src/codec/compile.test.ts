import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thrownCode, viewOf } from '../testing.ts';
import { arbitraryFields, arbitraryValue } from './arbitrary.ts';
import { blob, fixed, flags, group, list, oneOf, rest, restText, text, time, u16, u32, u8 } from './codec.ts';
import type { Codec, Fields } from './codec.ts';
import { compile, compileValue } from './compile.ts';

const buffer = new Uint8Array(1 << 17);

/** Encodes at an odd place and decodes from a view with an offset of its own. */
function roundTrip(codec: Codec, value: unknown): unknown {
  const compiled = compileValue<unknown>('row', codec);
  const end = compiled.encode(value, buffer, 3);
  const view = viewOf(buffer.subarray(2, end + 1));
  return compiled.decode(view, 1, view.length - 1);
}

const EVERY_KIND = {
  small: u8('', { min: 1, max: 9 }),
  middle: u16(''),
  large: u32(''),
  when: time(''),
  which: oneOf('', { one: 1, last: 255 }),
  bits: flags('', { a: 1, b: 0x80 }),
  name: text('', 40),
  bytes: blob('', 300),
  digest: fixed('', 4),
  items: list('', group('', { id: u16(''), tags: list('', text('', 9), 3) }), 4),
  tail: rest('', 50),
} as const satisfies Fields;

const codec = compile('row', EVERY_KIND);
const everyKind = arbitraryValue(group('', EVERY_KIND));

describe('a compiled row', () => {
  test('reads what it wrote, whatever its fields are', () => {
    const rows = arbitraryFields(2).chain((fields) =>
      fc.tuple(fc.constant(fields), arbitraryValue(group('', fields))),
    );
    fc.assert(
      fc.property(rows, ([fields, value]) => {
        expect(roundTrip(group('', fields), value)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test('reads what it wrote from a view at any offset, and leaves the bytes around it alone', () => {
    fc.assert(
      fc.property(everyKind, fc.nat(40), (value, at) => {
        const out = new Uint8Array(4096).fill(0xee);
        const end = codec.encode(value, out, at);
        expect(out.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
        expect(out.subarray(end).every((byte) => byte === 0xee)).toBe(true);
        expect(codec.decode(out, at, end)).toEqual(value);
        expect(codec.decode(out.subarray(at, end), 0, end - at)).toEqual(value);
      }),
    );
  });

  test('answers MESSAGE_LONG when the room ends anywhere', () => {
    fc.assert(
      fc.property(everyKind, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, part) => {
        const end = codec.encode(value, new Uint8Array(4096), 0);
        const out = new Uint8Array(Math.floor(part * end));
        expect(thrownCode(() => codec.encode(value, out, 0))).toBe('MESSAGE_LONG');
      }),
    );
  });

  test('answers MESSAGE_SHORT when the bytes end before the last field', () => {
    const { tail: _, ...fields } = EVERY_KIND;
    const row = compile('row', fields);
    fc.assert(
      fc.property(
        arbitraryValue(group('', fields)),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (value, part) => {
          const out = new Uint8Array(4096);
          const end = row.encode(value, out, 0);
          expect(thrownCode(() => row.decode(out, 0, Math.floor(part * end)))).toBe('MESSAGE_SHORT');
          expect(thrownCode(() => row.decode(out, 0, end + 1))).toBe('MESSAGE_LONG');
        },
      ),
    );
  });
});

test.each<[string, Codec, unknown[]]>([
  ['a number above its width', u8(''), [256, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '7', undefined]],
  ['a number above two bytes', u16(''), [65_536, -1, 0.1]],
  ['a number above four bytes', u32(''), [2 ** 32, -1, 0.5]],
  ['a time above six bytes', time(''), [2 ** 48, -1, 1.25, Number.NaN]],
  ['a number outside its range', u16('', { min: 5, max: 10 }), [4, 11]],
  ['a name that is none', oneOf('', { one: 1 }), ['two', 'toString', '__proto__', 1]],
  ['text too long', text('', 5), ['123456', 'äää']],
  ['text too long up to the end', restText('', 5), ['123456', 'äää']],
  ['bytes too many', blob('', 2), [new Uint8Array(3)]],
  ['bytes too many up to the end', rest('', 2), [new Uint8Array(3)]],
  ['bytes not as many as fixed', fixed('', 2), [new Uint8Array(1), new Uint8Array(3)]],
  ['items too many', list('', u8(''), 1), [[1, 2]]],
  ['an item out of its range', list('', u8('', { max: 3 }), 4), [[1, 4]]],
])('refuses to write %s', (_, codec, values) => {
  const compiled = compileValue<unknown>('row', codec);
  for (const value of values) {
    expect(
      thrownCode(() => compiled.encode(value, new Uint8Array(100), 0)),
      String(value),
    ).toBe('MESSAGE_RANGE');
  }
});

test.each<[string, Codec, number[]]>([
  ['a number below its range', u8('', { min: 2 }), [1]],
  ['a number above its range', u16('', { max: 256 }), [1, 1]],
  ['a name that is none', oneOf('', { one: 1 }), [2]],
  ['text too long', text('', 2), [3, 65, 65, 65]],
  ['bytes too many', blob('', 2), [3, 1, 2, 3]],
  ['bytes too many up to the end', rest('', 2), [1, 2, 3]],
  ['items too many', list('', u8(''), 1), [2, 1, 2]],
])('refuses to read %s', (_, codec, bytes) => {
  const compiled = compileValue<unknown>('row', codec);
  expect(thrownCode(() => compiled.decode(Uint8Array.from(bytes), 0, bytes.length))).toBe('MESSAGE_RANGE');
});

test('numbers are little-endian', () => {
  const row = compile('row', { two: u16(''), four: u32(''), six: time('') });
  const out = new Uint8Array(12);
  row.encode({ two: 0x0102, four: 0xfffefdfc, six: 0x010203040506 }, out, 0);
  expect([...out]).toEqual([2, 1, 0xfc, 0xfd, 0xfe, 0xff, 6, 5, 4, 3, 2, 1]);
});

test('bytes are read as views, not copies', () => {
  const bytes = Uint8Array.of(9, 2, 1, 2);
  const value = compile('row', { data: blob('', 5) }).decode(bytes, 1, 4);
  bytes[2] = 7;
  expect([...value.data]).toEqual([7, 2]);
});

test('an error names row and field', () => {
  const row = compile('the.row', { inner: group('', { items: list('', u8('', { max: 3 }), 4) }) });
  expect(() => row.encode({ inner: { items: [9] } }, new Uint8Array(9), 0)).toThrow('the.row.inner.items[]');
  expect(() => row.decode(Uint8Array.of(1), 0, 1)).toThrow('the.row.inner.items[]');
});

describe('text', () => {
  const name = compileValue<string>('row', restText('', 64));
  const read = (...bytes: number[]): string => name.decode(Uint8Array.from(bytes), 0, bytes.length);

  test('keeps a byte order mark: two names that differ by it are different', () => {
    expect(roundTrip(restText('', 64), '\uFEFFname')).toBe('\uFEFFname');
    expect(roundTrip(restText('', 64), `\uFEFF${'long '.repeat(8)}`)).toBe(`\uFEFF${'long '.repeat(8)}`);
  });

  test('that is no UTF-8 becomes U+FFFD, short and long', () => {
    expect(read(65, 0xff, 66)).toBe('A\uFFFDB');
    expect(read(...new Array<number>(40).fill(65), 0xc3)).toBe(`${'A'.repeat(40)}\uFFFD`);
  });

  test('half a surrogate pair is written as U+FFFD', () => {
    const out = new Uint8Array(9);
    expect(name.encode('\uD800', out, 0)).toBe(3);
    expect(name.decode(out, 0, 3)).toBe('\uFFFD');
  });
});
