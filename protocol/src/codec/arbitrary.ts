/** For tests only: generators of the values of any codec, made of the same data as its encoder and decoder. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { Codec, Fields, Value, Width } from './codec.ts';

const BYTE_ORDER_MARK = '\uFEFF';

/** Values that `codec` can carry, the largest included. */
export function arbitraryValue<C extends Codec>(codec: C): Arbitrary<Value<C>> {
  return valueOf(codec) as Arbitrary<Value<C>>;
}

function valueOf(codec: Codec): Arbitrary<unknown> {
  switch (codec.kind) {
    case 'uint':
      return fc.oneof(
        fc.maxSafeInteger().map((n) => codec.min + (Math.abs(n) % (codec.max - codec.min + 1))),
        fc.constantFrom(codec.min, codec.max),
      );
    case 'oneOf':
      return fc.constantFrom(...Object.keys(codec.names));
    case 'flags':
      return fc.record(Object.fromEntries(Object.keys(codec.bits).map((bit) => [bit, fc.boolean()])));
    case 'text':
      return arbitraryText(codec.max);
    case 'blob':
      return arbitraryBytes(codec.max);
    case 'fixed':
      return fc.uint8Array({ minLength: codec.length, maxLength: codec.length });
    case 'list':
      return fc.oneof(
        { weight: 9, arbitrary: fc.array(valueOf(codec.item), { maxLength: Math.min(codec.max, 6) }) },
        {
          weight: 1,
          arbitrary: valueOf(codec.item).map((item) => new Array<unknown>(codec.max).fill(item)),
        },
      );
    case 'group':
      return fc.record(
        Object.fromEntries(Object.entries(codec.fields).map(([name, field]) => [name, valueOf(field)])),
      );
  }
}

function arbitraryText(max: number): Arbitrary<string> {
  const few = Math.min(max, 24);
  const any = fc.oneof(
    fc.string({ unit: 'binary', maxLength: few }),
    fc.string({ unit: 'grapheme-ascii', maxLength: max }),
    fc.string({ unit: 'grapheme', maxLength: few }).map((text) => BYTE_ORDER_MARK + text),
    fc.constant('x'.repeat(max)),
  );
  return any.map((text) => cut(text, max));
}

/** As many whole characters of `text` as `max` bytes of UTF-8 hold. */
function cut(text: string, max: number): string {
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > max) break;
    kept += character;
  }
  return kept;
}

function arbitraryBytes(max: number): Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: Math.min(max, 300) }) },
    { weight: 1, arbitrary: fc.nat(255).map((byte) => new Uint8Array(max).fill(byte)) },
  );
}

/** Codecs of any shape, nested up to `depth` groups and lists deep. */
export function arbitraryCodec(depth: number): Arbitrary<Codec> {
  if (depth === 0) return fc.oneof(...LEAVES);
  const item = arbitraryCodec(depth - 1);
  return fc.oneof(
    ...LEAVES,
    fc.tuple(prefix, item).map(([prefix, item]): Codec => ({ kind: 'list', prefix, max: 20, item, doc: '' })),
    arbitraryFields(depth - 1).map((fields): Codec => ({ kind: 'group', fields, doc: '' })),
  );
}

const prefix = fc.constantFrom<1 | 2>(1, 2);
const most = fc.integer({ min: 1, max: 255 });
const width = fc.constantFrom<Width>(1, 2, 4, 6);

const LEAVES: readonly Arbitrary<Codec>[] = [
  fc.tuple(width, fc.nat(200), fc.nat(50)).map(([width, min, below]) => {
    return { kind: 'uint', width, min, max: 2 ** (8 * width) - 1 - below, doc: '' };
  }),
  fc.constant({ kind: 'oneOf', names: { left: 0, right: 255, 'to string': 7 }, doc: '' }),
  fc.constant({ kind: 'flags', bits: { low: 1, 'in-between': 16, high: 128 }, doc: '' }),
  fc.tuple(prefix, most).map(([prefix, max]) => ({ kind: 'text', prefix, max, doc: '' })),
  fc.tuple(prefix, most).map(([prefix, max]) => ({ kind: 'blob', prefix, max, doc: '' })),
  fc.nat(40).map((length) => ({ kind: 'fixed', length, doc: '' })),
];

/** Named fields of any shape, whose last may reach up to the end of the message. */
export function arbitraryFields(depth: number): Arbitrary<Fields> {
  const name = fc.string({ unit: 'binary', maxLength: 8 }).filter((name) => name !== '__proto__');
  return fc.dictionary(name, arbitraryCodec(depth), { maxKeys: 6, noNullPrototype: true });
}
