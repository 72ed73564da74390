import type { Codec, UintCodec, Width } from './codec.ts';
import { advance, lines, offset, quoted, unless } from './snippets.ts';
import type { Names } from './snippets.ts';

/** A value to read: its codec, the variable that takes it, and its path for errors. */
interface Reading<C extends Codec = Codec> {
  readonly codec: C;
  readonly target: string;
  readonly path: string;
  readonly names: Names;
}

type Kind = Codec['kind'];
type Of<K extends Kind> = Reading<Extract<Codec, { kind: K }>>;

const READERS: { readonly [K in Kind]: (reading: Of<K>) => string } = {
  uint: ({ codec, target, path }) =>
    lines(
      room(codec.width, path),
      `${target} = ${loadUint(codec.width)};`,
      advance(codec.width),
      within(codec, target, path),
    ),

  oneOf: ({ codec, target, path }) => {
    const cases = Object.entries(codec.names).map(
      ([name, number]) => `case ${number.toString()}: ${target} = ${quoted(name)}; break;`,
    );
    return lines(
      room(1, path),
      `switch (bytes[at]) { ${cases.join(' ')} default: fail('MESSAGE_RANGE', ${quoted(path)}); }`,
      advance(1),
    );
  },

  flags: ({ codec, target, path, names }) => {
    const byte = names.next();
    const bits = Object.entries(codec.bits).map(
      ([bit, mask]) => `${quoted(bit)}: (${byte} & ${mask.toString()}) !== 0`,
    );
    return lines(room(1, path), `const ${byte} = bytes[at]; ${target} = { ${bits.join(', ')} };`, advance(1));
  },

  text: ({ codec, target, path, names }) => {
    const length = names.next();
    return lines(
      takeLength(codec, length, path),
      `${target} = readText(bytes, at, at + ${length});`,
      advance(length),
    );
  },

  blob: ({ codec, target, path, names }) => {
    const length = names.next();
    return lines(takeLength(codec, length, path), `${target} = ${view(length)};`, advance(length));
  },

  fixed: ({ codec, target, path }) =>
    lines(room(codec.length, path), `${target} = ${view(codec.length.toString())};`, advance(codec.length)),

  list: ({ codec, target, path, names }) => {
    const [length, item, index] = [names.next(), names.next(), names.next()];
    return lines(
      room(codec.prefix, path),
      `const ${length} = ${loadUint(codec.prefix)};`,
      advance(codec.prefix),
      unless(`${length} > ${codec.max.toString()}`, 'MESSAGE_RANGE', path),
      `${target} = [];`,
      `for (let ${index} = 0; ${index} < ${length}; ${index} += 1) {`,
      `let ${item};`,
      readStatements({ codec: codec.item, target: item, path: `${path}[]`, names }),
      `${target}.push(${item});`,
      '}',
    );
  },

  group: ({ codec, target, path, names }) => {
    const fields = Object.entries(codec.fields).map(([name, field]) => ({
      name,
      field,
      variable: names.next(),
    }));
    return lines(
      ...fields.flatMap(({ name, field, variable }) => [
        `let ${variable};`,
        readStatements({ codec: field, target: variable, path: `${path}.${name}`, names }),
      ]),
      `${target} = { ${fields.map(({ name, variable }) => `${quoted(name)}: ${variable}`).join(', ')} };`,
    );
  },
};

/** Statements that read a value from `at` of `bytes` on and move `at` behind it, never beyond `end`. */
export function readStatements<K extends Kind>(reading: Of<K>): string {
  const read: (reading: Of<K>) => string = READERS[reading.codec.kind];
  return read(reading);
}

function room(bytes: number | string, path: string): string {
  return unless(`at + ${bytes.toString()} > end`, 'MESSAGE_SHORT', path);
}

function within({ width, min, max }: UintCodec, target: string, path: string): string {
  const conditions = [
    ...(min > 0 ? [`${target} < ${min.toString()}`] : []),
    ...(max < 2 ** (8 * width) - 1 ? [`${target} > ${max.toString()}`] : []),
  ];
  return conditions.length === 0 ? '' : unless(conditions.join(' || '), 'MESSAGE_RANGE', path);
}

/** Shifts work on 32 signed bits: what lies above the third byte is multiplied up. */
function loadUint(width: Width): string {
  const bytes = Array.from({ length: width }, (_, i) => `bytes[${offset(i)}]`);
  const low = bytes.slice(0, 3).map((byte, i) => (i === 0 ? byte : `(${byte} << ${(8 * i).toString()})`));
  const high = bytes.slice(3).map((byte, i) => ` + ${byte} * ${(2 ** (8 * (i + 3))).toString()}`);
  return `(${low.join(' | ')})${high.join('')}`;
}

/** Declares `length` as the number of bytes that follow, checked against the field's most and against `end`. */
function takeLength(codec: { prefix: 0 | 1 | 2; max: number }, length: string, path: string): string {
  const tooMany = unless(`${length} > ${codec.max.toString()}`, 'MESSAGE_RANGE', path);
  if (codec.prefix === 0) return lines(`const ${length} = end - at;`, tooMany);
  return lines(
    room(codec.prefix, path),
    `const ${length} = ${loadUint(codec.prefix)};`,
    advance(codec.prefix),
    tooMany,
    room(length, path),
  );
}

function view(length: string): string {
  return `new Uint8Array(bytes.buffer, bytes.byteOffset + at, ${length})`;
}
