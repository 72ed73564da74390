/**
 * What a field on the wire can be, as plain data. From the same data come the TypeScript type ({@link Value}), the
 * compiled encoder and decoder (compile.ts), the tables of SPEC.md and the generators of the property tests.
 * All numbers are little-endian.
 */
interface Described {
  /** One sentence for SPEC.md. */
  readonly doc: string;
  readonly unit?: string;
  /** Must never be shown: masked wherever messages are rendered. */
  readonly secret?: true;
}

/** Width of an unsigned number, bytes. */
export type Width = 1 | 2 | 4 | 6;

export interface UintCodec extends Described {
  readonly kind: 'uint';
  readonly width: Width;
  readonly min: number;
  readonly max: number;
}

/** One of a few named numbers, in one byte. */
export interface OneOfCodec<
  Names extends Readonly<Record<string, number>> = Readonly<Record<string, number>>,
> extends Described {
  readonly kind: 'oneOf';
  readonly names: Names;
}

/** Named bits in one byte; bits without a name are zero. */
export interface FlagsCodec<
  Bits extends Readonly<Record<string, number>> = Readonly<Record<string, number>>,
> extends Described {
  readonly kind: 'flags';
  readonly bits: Bits;
}

/** UTF-8, with its length in bytes before it (`prefix` bytes wide), or up to the end of the message (`prefix` 0). */
export interface TextCodec extends Described {
  readonly kind: 'text';
  readonly prefix: 0 | 1 | 2;
  readonly max: number;
}

/** Bytes, with their number before them (`prefix` bytes wide), or up to the end of the message (`prefix` 0). */
export interface BlobCodec extends Described {
  readonly kind: 'blob';
  readonly prefix: 0 | 1 | 2;
  readonly max: number;
}

/** A fixed number of bytes. */
export interface FixedCodec extends Described {
  readonly kind: 'fixed';
  readonly length: number;
}

/** Items one after the other, with their number before them (`prefix` bytes wide). */
export interface ListCodec<Item extends Codec = Codec> extends Described {
  readonly kind: 'list';
  readonly prefix: 1 | 2;
  readonly max: number;
  readonly item: Item;
}

/** Several fields one after the other. */
export interface GroupCodec<F extends Fields = Fields> extends Described {
  readonly kind: 'group';
  readonly fields: F;
}

export type Codec =
  | UintCodec
  | OneOfCodec
  | FlagsCodec
  | TextCodec
  | BlobCodec
  | FixedCodec
  | {
      readonly kind: 'list';
      readonly prefix: 1 | 2;
      readonly max: number;
      readonly item: Codec;
      readonly doc: string;
      readonly unit?: string;
      readonly secret?: true;
    }
  | {
      readonly kind: 'group';
      readonly fields: Fields;
      readonly doc: string;
      readonly unit?: string;
      readonly secret?: true;
    };

/** Named fields in the order in which they stand on the wire. */
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- a Record would refer to itself
export interface Fields {
  readonly [name: string]: Codec;
}

/** The TypeScript value of a codec. */
export type Value<C extends Codec> = C extends UintCodec
  ? number
  : C extends TextCodec
    ? string
    : C extends BlobCodec | FixedCodec
      ? Uint8Array
      : C extends OneOfCodec<infer Names>
        ? keyof Names & string
        : C extends FlagsCodec<infer Bits>
          ? { readonly [Bit in keyof Bits]: boolean }
          : C extends { readonly kind: 'list'; readonly item: infer Item extends Codec }
            ? readonly Value<Item>[]
            : C extends { readonly kind: 'group'; readonly fields: infer F extends Fields }
              ? Values<F>
              : never;

/** The TypeScript value of several fields. */
export type Values<F extends Fields> = { readonly [Name in keyof F]: Value<F[Name]> };

interface NumberOptions {
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
}

function uint(width: Width, doc: string, options: NumberOptions = {}): UintCodec {
  const { min = 0, max = 2 ** (8 * width) - 1, ...rest } = options;
  return { kind: 'uint', width, min, max, doc, ...rest };
}

export const u8 = (doc: string, options?: NumberOptions): UintCodec => uint(1, doc, options);
export const u16 = (doc: string, options?: NumberOptions): UintCodec => uint(2, doc, options);
export const u32 = (doc: string, options?: NumberOptions): UintCodec => uint(4, doc, options);
/** A time: milliseconds UTC, good until the year 10889. */
export const time = (doc: string): UintCodec => uint(6, doc, { unit: 'ms UTC' });

export function oneOf<const Names extends Readonly<Record<string, number>>>(
  doc: string,
  names: Names,
): OneOfCodec<Names> {
  return { kind: 'oneOf', names, doc };
}

export function flags<const Bits extends Readonly<Record<string, number>>>(
  doc: string,
  bits: Bits,
): FlagsCodec<Bits> {
  return { kind: 'flags', bits, doc };
}

/** @param max bytes of UTF-8 */
export function text(doc: string, max: number): TextCodec {
  return { kind: 'text', prefix: prefixFor(max), max, doc };
}

/** @param max bytes */
export function blob(doc: string, max: number, options: { secret?: true } = {}): BlobCodec {
  return { kind: 'blob', prefix: prefixFor(max), max, doc, ...options };
}

/** Bytes up to the end of what is decoded; only as the last field. */
export function rest(doc: string, max: number, options: { secret?: true } = {}): BlobCodec {
  return { kind: 'blob', prefix: 0, max, doc, ...options };
}

/** Text up to the end of what is decoded; only as the last field. */
export function restText(doc: string, max: number): TextCodec {
  return { kind: 'text', prefix: 0, max, doc };
}

export function fixed(doc: string, length: number, options: { secret?: true } = {}): FixedCodec {
  return { kind: 'fixed', length, doc, ...options };
}

/** @param max items */
export function list<Item extends Codec>(doc: string, item: Item, max: number): ListCodec<Item> {
  return { kind: 'list', prefix: prefixFor(max), max, item, doc };
}

export function group<F extends Fields>(doc: string, fields: F): GroupCodec<F> {
  return { kind: 'group', fields, doc };
}

function prefixFor(max: number): 1 | 2 {
  return max < 256 ? 1 : 2;
}
