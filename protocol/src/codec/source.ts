import type { Codec, Fields, Width } from './codec.ts';

/** Hands out variable names and keeps what fields are made of, while the source of one function grows. */
class Source {
  #names = 0;

  name(): string {
    this.#names += 1;
    return `v${this.#names.toString()}`;
  }
}

/** The body of `(value, out, at) => at`. */
export function encodeSource(codec: Codec): string {
  return `${encodeOne(new Source(), codec, 'value', '')}
if (at > out.length) fail('MESSAGE_LONG', '');
return at;`;
}

/** The body of `(bytes, at, end) => value`. */
export function decodeSource(codec: Codec): string {
  const source = new Source();
  const value = source.name();
  return `let ${value};
${decodeOne(source, codec, value, '')}
if (at !== end) fail('MESSAGE_LONG', '');
return ${value};`;
}

/** Statements that write `value` at `at`; for code that others wrap around it. Variables are block-scoped by the caller. */
export function encodeInline(codec: Codec, value: string, path: string): string {
  return encodeOne(new Source(), codec, value, path);
}

/** Statements that read from `at` up to `end` into `target`; see {@link encodeInline}. */
export function decodeInline(codec: Codec, target: string, path: string): string {
  return decodeOne(new Source(), codec, target, path);
}

function encodeOne(source: Source, codec: Codec, value: string, path: string): string {
  const range = (condition: string): string =>
    `if (${condition}) fail('MESSAGE_RANGE', ${JSON.stringify(path)});`;
  switch (codec.kind) {
    case 'uint':
      return `${range(`!(${value} >= ${codec.min.toString()} && ${value} <= ${codec.max.toString()})`)}
${write(codec.width, value)}`;
    case 'oneOf': {
      const number = source.name();
      return `const ${number} = ${JSON.stringify(codec.names)}[${value}]; ${range(`${number} === undefined`)}
${write(1, number)}`;
    }
    case 'flags':
      return write(
        1,
        Object.entries(codec.bits)
          .map(([bit, mask]) => `(${value}${member(bit)} ? ${mask.toString()} : 0)`)
          .join(' | '),
      );
    case 'text': {
      const length = source.name();
      return `const ${length} = writeText(${value}, out, at + ${codec.prefix.toString()}, ${codec.max.toString()});
${range(`${length} < 0`)}
${codec.prefix === 0 ? '' : write(codec.prefix, length)}
at += ${length};`;
    }
    case 'blob':
      return `${range(`${value}.length > ${codec.max.toString()}`)}
${codec.prefix === 0 ? '' : write(codec.prefix, `${value}.length`)}
${copy(value)}`;
    case 'fixed':
      return `${range(`${value}.length !== ${codec.length.toString()}`)}
${copy(value)}`;
    case 'list': {
      const item = source.name();
      return `${range(`${value}.length > ${codec.max.toString()}`)}
${write(codec.prefix, `${value}.length`)}
for (const ${item} of ${value}) {
${encodeOne(source, codec.item, item, `${path}[]`)}
}`;
    }
    case 'group':
      return eachField(codec.fields, (name, field) =>
        encodeOne(source, field, `${value}${member(name)}`, `${path}.${name}`),
      );
  }
}

function write(width: Width, value: string): string {
  const bytes = [`out[at] = ${value};`];
  for (let i = 1; i < Math.min(width, 4); i += 1)
    bytes.push(`out[at + ${i.toString()}] = ${value} >>> ${(8 * i).toString()};`);
  if (width === 6) {
    bytes.push(`out[at + 4] = ${value} / 4294967296;`, `out[at + 5] = ${value} / 1099511627776;`);
  }
  return `${bytes.join(' ')} at += ${width.toString()};`;
}

function copy(value: string): string {
  return `if (at + ${value}.length > out.length) fail('MESSAGE_LONG', ''); out.set(${value}, at); at += ${value}.length;`;
}

function decodeOne(source: Source, codec: Codec, target: string, path: string): string {
  const where = JSON.stringify(path);
  const range = (condition: string): string => `if (${condition}) fail('MESSAGE_RANGE', ${where});`;
  const room = (bytes: string): string => `if (at + ${bytes} > end) fail('MESSAGE_SHORT', ${where});`;
  switch (codec.kind) {
    case 'uint': {
      const whole = codec.min === 0 && codec.max === 2 ** (8 * codec.width) - 1;
      return `${room(codec.width.toString())} ${target} = ${read(codec.width)}; at += ${codec.width.toString()};
${whole ? '' : range(`${target} < ${codec.min.toString()} || ${target} > ${codec.max.toString()}`)}`;
    }
    case 'oneOf': {
      const cases = Object.entries(codec.names).map(
        ([name, number]) => `case ${number.toString()}: ${target} = ${JSON.stringify(name)}; break;`,
      );
      return `${room('1')} switch (bytes[at++]) { ${cases.join(' ')} default: fail('MESSAGE_RANGE', ${where}); }`;
    }
    case 'flags': {
      const byte = source.name();
      const members = Object.entries(codec.bits).map(
        ([bit, mask]) => `${JSON.stringify(bit)}: (${byte} & ${mask.toString()}) !== 0`,
      );
      return `${room('1')} const ${byte} = bytes[at++]; ${target} = { ${members.join(', ')} };`;
    }
    case 'text':
    case 'blob': {
      const length = source.name();
      const taken =
        codec.kind === 'text'
          ? 'readText(bytes, at, at + LENGTH)'
          : 'new Uint8Array(bytes.buffer, bytes.byteOffset + at, LENGTH)';
      const prefix =
        codec.prefix === 0
          ? `const ${length} = end - at;`
          : `${room(codec.prefix.toString())} const ${length} = ${read(codec.prefix)}; at += ${codec.prefix.toString()};`;
      return `${prefix}
${range(`${length} > ${codec.max.toString()}`)} ${room(length)}
${target} = ${taken.replace('LENGTH', length)}; at += ${length};`;
    }
    case 'fixed': {
      const length = codec.length.toString();
      return `${room(length)} ${target} = new Uint8Array(bytes.buffer, bytes.byteOffset + at, ${length}); at += ${length};`;
    }
    case 'list':
      return decodeList(source, codec, target, path);
    case 'group':
      return decodeGroup(source, codec.fields, target, path);
  }
}

function decodeList(
  source: Source,
  codec: Extract<Codec, { kind: 'list' }>,
  target: string,
  path: string,
): string {
  const [count, item, index] = [source.name(), source.name(), source.name()];
  const where = JSON.stringify(path);
  const prefix = codec.prefix.toString();
  return `if (at + ${prefix} > end) fail('MESSAGE_SHORT', ${where}); const ${count} = ${read(codec.prefix)}; at += ${prefix};
if (${count} > ${codec.max.toString()}) fail('MESSAGE_RANGE', ${where});
${target} = [];
for (let ${index} = 0; ${index} < ${count}; ${index} += 1) {
let ${item};
${decodeOne(source, codec.item, item, `${path}[]`)}
${target}.push(${item});
}`;
}

function decodeGroup(source: Source, fields: Fields, target: string, path: string): string {
  const members: string[] = [];
  const reads = eachField(fields, (name, field) => {
    const member = source.name();
    members.push(`${JSON.stringify(name)}: ${member}`);
    return `let ${member};\n${decodeOne(source, field, member, `${path}.${name}`)}`;
  });
  return `${reads}\n${target} = { ${members.join(', ')} };`;
}

function read(width: Width): string {
  const byte = (i: number): string => (i === 0 ? 'bytes[at]' : `bytes[at + ${i.toString()}]`);
  const low = Array.from({ length: Math.min(width, 4) }, (_, i) =>
    i === 3 ? `${byte(i)} * 16777216` : i === 0 ? byte(0) : `(${byte(i)} << ${(8 * i).toString()})`,
  );
  const sum = width < 4 ? low.join(' | ') : `(${low.slice(0, 3).join(' | ')}) + ${low[3] ?? ''}`;
  return width === 6 ? `${sum} + ${byte(4)} * 4294967296 + ${byte(5)} * 1099511627776` : `(${sum})`;
}

function eachField(fields: Fields, make: (name: string, codec: Codec) => string): string {
  return Object.entries(fields)
    .map(([name, codec]) => make(name, codec))
    .join('\n');
}

function member(name: string): string {
  return `[${JSON.stringify(name)}]`;
}
