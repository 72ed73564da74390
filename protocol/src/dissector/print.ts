import type { Codec, Fields } from '../codec/codec.ts';
import { CATALOGUE } from '../messages/catalogue.ts';
import type { MessageRow } from '../messages/catalogue.ts';

/** The parts of the dissector that are written by hand, beside this file, in the order in which they need each other. */
export const DISSECTOR_PARTS = ['bits.lua', 'seal.lua', 'keys.lua', 'fields.lua', 'frame.lua'] as const;

/**
 * The dissector for Wireshark as one file: the rows that the code runs on as a table, and the parts that read it.
 * @param part the text of one of {@link DISSECTOR_PARTS}
 */
export function dissectorText(part: (name: (typeof DISSECTOR_PARTS)[number]) => string): string {
  return [HEAD, `local MESSAGES = {\n${messages()}\n}`, ...DISSECTOR_PARTS.map(part)]
    .map((text) => text.trimEnd())
    .join('\n\n')
    .concat('\n');
}

const HEAD = `-- Wireshark's dissector for the protocol between gateway and terminals: SPEC.md, section 11, says how it is used.
-- Printed from the rows that the code runs on and from src/dissector by \`npm run spec\`: change those.

-- Messages by type, with their fields in the order in which they stand on the wire.`;

function messages(): string {
  return Object.entries<MessageRow>(CATALOGUE)
    .map(([name, row]) => {
      const fields = members(row.fields).map((field) => `\n    ${field},`);
      const list = fields.length === 0 ? '{}' : `{${fields.join('')}\n  }`;
      return `  [0x${row.type.toString(16).padStart(2, '0')}] = { name = ${quoted(name)}, fields = ${list} },`;
    })
    .join('\n');
}

function members(fields: Fields): string[] {
  return Object.entries(fields).map(([name, codec]) => table([['name', quoted(name)], ...rowOf(codec)]));
}

type Entry = readonly [key: string, value: string];

function rowOf(codec: Codec): Entry[] {
  const unit: Entry[] = codec.unit === undefined ? [] : [['unit', quoted(codec.unit)]];
  const secret: Entry[] = codec.secret === true ? [['secret', 'true']] : [];
  return [['kind', quoted(codec.kind)], ...shapeOf(codec), ...unit, ...secret];
}

function shapeOf(codec: Codec): Entry[] {
  switch (codec.kind) {
    case 'uint':
      return numbers({ width: codec.width, min: codec.min, max: codec.max });
    case 'oneOf':
      return [
        ['names', table(Object.entries(codec.names).map(([name, n]) => [`[${n.toString()}]`, quoted(name)]))],
      ];
    case 'flags':
      return [['bits', `{ ${Object.entries(codec.bits).map(bit).join(', ')} }`]];
    case 'text':
    case 'blob':
      return numbers({ prefix: codec.prefix, max: codec.max });
    case 'fixed':
      return numbers({ length: codec.length });
    case 'list':
      return [...numbers({ prefix: codec.prefix, max: codec.max }), ['item', table(rowOf(codec.item))]];
    case 'group':
      return [['fields', `{ ${members(codec.fields).join(', ')} }`]];
  }
}

function bit([name, mask]: readonly [string, number]): string {
  return table([
    ['name', quoted(name)],
    ['mask', mask.toString()],
  ]);
}

function numbers(of: Readonly<Record<string, number>>): Entry[] {
  return Object.entries(of).map(([key, value]) => [key, value.toString()]);
}

function table(entries: readonly Entry[]): string {
  return `{ ${entries.map(([key, value]) => `${key} = ${value}`).join(', ')} }`;
}

/** Names of rows are letters, digits, dots and dashes, units a few more: JSON's quotes are Lua's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
