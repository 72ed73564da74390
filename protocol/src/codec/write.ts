import type { Codec, UintCodec, Width } from './codec.ts';
import { advance, lines, offset, quoted, unless } from './snippets.ts';
import type { Names } from './snippets.ts';

/** A value to write: its codec, the expression that holds it, and its path for errors. */
interface Writing<C extends Codec = Codec> {
  readonly codec: C;
  readonly value: string;
  readonly path: string;
  readonly names: Names;
}

type Kind = Codec['kind'];
type Of<K extends Kind> = Writing<Extract<Codec, { kind: K }>>;

const WRITERS: { readonly [K in Kind]: (writing: Of<K>) => string } = {
  uint: ({ codec, value, path }) =>
    lines(unless(outside(codec, value), 'MESSAGE_RANGE', path), storeUint(codec.width, value)),

  oneOf: ({ codec, value, path, names }) => {
    const number = names.next();
    const cases = Object.entries(codec.names).map(
      ([name, of]) => `case ${quoted(name)}: ${number} = ${of.toString()}; break;`,
    );
    return lines(
      `let ${number}; switch (${value}) { ${cases.join(' ')} default: fail('MESSAGE_RANGE', ${quoted(path)}); }`,
      storeUint(1, number),
    );
  },

  flags: ({ codec, value }) => {
    const bits = Object.entries(codec.bits).map(
      ([bit, mask]) => `(${member(value, bit)} ? ${mask.toString()} : 0)`,
    );
    return storeUint(1, bits.join(' | '));
  },

  text: ({ codec, value, path, names }) => {
    const length = names.next();
    return lines(
      `const ${length} = writeText(${value}, out, ${offset(codec.prefix)}, ${codec.max.toString()});`,
      unless(`${length} < 0`, 'MESSAGE_RANGE', path),
      storeLength(codec.prefix, length),
      advance(length),
    );
  },

  blob: ({ codec, value, path, names }) => {
    const length = names.next();
    return lines(
      `const ${length} = ${value}.length;`,
      unless(`${length} > ${codec.max.toString()}`, 'MESSAGE_RANGE', path),
      storeLength(codec.prefix, length),
      copy(value, length),
    );
  },

  fixed: ({ codec, value, path }) => {
    const length = codec.length.toString();
    return lines(unless(`${value}.length !== ${length}`, 'MESSAGE_RANGE', path), copy(value, length));
  },

  list: ({ codec, value, path, names }) => {
    const item = names.next();
    return lines(
      unless(`${value}.length > ${codec.max.toString()}`, 'MESSAGE_RANGE', path),
      storeLength(codec.prefix, `${value}.length`),
      `for (const ${item} of ${value}) {`,
      writeStatements({ codec: codec.item, value: item, path: `${path}[]`, names }),
      '}',
    );
  },

  group: ({ codec, value, path, names }) =>
    lines(
      ...Object.entries(codec.fields).flatMap(([name, field]) => {
        const variable = names.next();
        return [
          `const ${variable} = ${member(value, name)};`,
          writeStatements({ codec: field, value: variable, path: `${path}.${name}`, names }),
        ];
      }),
    ),
};

/** Statements that write a value at `at` of `out` and move `at` behind it. */
export function writeStatements<K extends Kind>(writing: Of<K>): string {
  const write: (writing: Of<K>) => string = WRITERS[writing.codec.kind];
  return write(writing);
}

/** True of what is no whole number within the field's range. */
function outside({ width, min, max }: UintCodec, value: string): string {
  const long = width === 6;
  const inside = [
    long ? `Math.floor(${value}) === ${value}` : `${value} >>> 0 === ${value}`,
    ...(long || min > 0 ? [`${value} >= ${min.toString()}`] : []),
    ...(long || max < 0xffffffff ? [`${value} <= ${max.toString()}`] : []),
  ];
  return `!(${inside.join(' && ')})`;
}

function storeUint(width: Width, value: string): string {
  const bytes = Array.from({ length: width }, (_, i) => `out[${offset(i)}] = ${byteOf(value, i)};`);
  return lines(bytes.join(' '), advance(width));
}

/** Shifts work on 32 bits: what lies above is divided down. A store into `out` keeps the low eight bits. */
function byteOf(value: string, index: number): string {
  if (index === 0) return value;
  return index < 4 ? `${value} >>> ${(8 * index).toString()}` : `${value} / ${(2 ** (8 * index)).toString()}`;
}

function storeLength(prefix: 0 | 1 | 2, length: string): string {
  return prefix === 0 ? '' : storeUint(prefix, length);
}

/** `set` would throw a RangeError of its own where there is no room. */
function copy(value: string, length: string): string {
  return lines(
    unless(`at + ${length} > room`, 'MESSAGE_LONG', ''),
    `out.set(${value}, at);`,
    advance(length),
  );
}

function member(value: string, name: string): string {
  return `${value}[${quoted(name)}]`;
}
