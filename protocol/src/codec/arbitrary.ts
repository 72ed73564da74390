/** For tests only: generators of the values of any codec, made of the same data as its encoder and decoder. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { Codec, Fields, Value } from './codec.ts';

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
  const any = fc.oneof(
    fc.string({ unit: 'binary', maxLength: max }),
    fc.string({ unit: 'grapheme-ascii', maxLength: max }),
    fc.string({ unit: 'grapheme', maxLength: max }).map((text) => BYTE_ORDER_MARK + text),
    fc.constant('x'.repeat(max)),
  );
  return any.map((text) => cut(text, max));
}

/** As many whole characters of `text` as `max` bytes of UTF-8 hold. */
function cut(text: string, max: number): string {
  const characters = [...text];
  while (Buffer.byteLength(characters.join('')) > max) characters.pop();
  return characters.join('');
}

function arbitraryBytes(max: number): Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: Math.min(max, 300) }) },
    { weight: 1, arbitrary: fc.nat(255).map((byte) => new Uint8Array(max).fill(byte)) },
  );
}

/** Codecs of any shape, nested up to `depth` groups and lists deep. */
export function arbitraryCodec(depth: number): Arbitrary<Codec> {
  const doc = fc.constant('');
  const max = fc.integer({ min: 1, max: 300 });
  const prefix = fc.constantFrom(1, 2);
  const leaves: Arbitrary<Codec>[] = [
    fc
      .tuple(fc.constantFrom(1, 2, 4, 6), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([width, part]) => ({
        kind: 'uint',
        width,
        min: Math.floor(part * 200),
        max: 2 ** (8 * width) - 1 - Math.floor(part * 50),
        doc: '',
      })),
    doc.map(() => ({ kind: 'oneOf', names: { left: 0, right: 255, 'to string': 7 }, doc: '' })),
    doc.map(() => ({ kind: 'flags', bits: { low: 1, 'in-between': 16, high: 128 }, doc: '' })),
    fc
      .tuple(prefix, max)
      .map(([prefix, max]) => ({ kind: 'text', prefix, max: Math.min(max, 255), doc: '' })),
    fc
      .tuple(prefix, max)
      .map(([prefix, max]) => ({ kind: 'blob', prefix, max: Math.min(max, 255), doc: '' })),
    fc.nat(40).map((length) => ({ kind: 'fixed', length, doc: '' })),
  ];
  if (depth === 0) return fc.oneof(...leaves);
  const inner = arbitraryCodec(depth - 1);
  return fc.oneof(
    ...leaves,
    fc.tuple(prefix, inner).map(([prefix, item]) => ({ kind: 'list', prefix, max: 20, item, doc: '' })),
    arbitraryFields(depth - 1).map((fields) => ({ kind: 'group', fields, doc: '' })),
  );
}

/** Named fields of any shape, whose last may reach up to the end of the message. */
export function arbitraryFields(depth: number): Arbitrary<Fields> {
  const name = fc.string({ unit: 'binary', maxLength: 8 }).filter((name) => name !== '__proto__');
  return fc.dictionary(name, arbitraryCodec(depth), { maxKeys: 6, noNullPrototype: true });
}
