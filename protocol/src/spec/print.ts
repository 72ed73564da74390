import type { Codec, Fields } from '../codec/codec.ts';
import { CATALOGUE } from '../messages/catalogue.ts';
import type { MessageRow } from '../messages/catalogue.ts';
import { LOG_KINDS } from '../log/log.ts';
import { FIELD_NAMES, FIELDS } from '../user/fields.ts';

/** The tables of SPEC.md, by the name in their marker, printed from the rows that the code runs on. */
export function specTables(): ReadonlyMap<string, string> {
  return new Map([
    ['messages', messages()],
    ['bodies', bodies()],
    ['fields', userFields()],
    ['logs', logKinds()],
  ]);
}

/**
 * A text with the tables between its markers (`<!-- rows: name -->` and `<!-- end -->`) printed anew.
 * @throws Error for a marker that names no table
 */
export function withTables(text: string): string {
  const tables = specTables();
  return text.replaceAll(/<!-- rows: (\w+) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const table = tables.get(name);
    if (table === undefined) throw new Error(`SPEC.md asks for a table ${name}`);
    return `<!-- rows: ${name} -->\n\n${table}\n\n<!-- end -->`;
  });
}

function rowsOf(): [string, MessageRow][] {
  return Object.entries(CATALOGUE);
}

function messages(): string {
  const rows = rowsOf().map(([name, row]) => [
    `\`${name}\``,
    hex(row.type),
    row.direction,
    row.answer === undefined ? '–' : `\`${row.answer}\``,
    row.work ?? '–',
    row.doc,
  ]);
  return markdown(['message', 'type', 'direction', 'answer', 'work', 'meaning'], rows);
}

function bodies(): string {
  return rowsOf()
    .filter(([, row]) => Object.keys(row.fields).length > 0)
    .map(
      ([name, row]) =>
        `**\`${name}\`** (${hex(row.type)})\n\n${markdown(['field', 'on the wire', 'unit', 'meaning'], fieldRows(row.fields, ''))}`,
    )
    .join('\n\n');
}

function fieldRows(fields: Fields, prefix: string): string[][] {
  return Object.entries(fields).flatMap(([name, codec]) => {
    const path = `${prefix}${name}`;
    const row = [`\`${path}\``, shape(codec), codec.unit ?? '', codec.doc];
    if (codec.kind === 'group') return [row, ...fieldRows(codec.fields, `${path}.`)];
    if (codec.kind === 'list' && codec.item.kind === 'group')
      return [row, ...fieldRows(codec.item.fields, `${path}[].`)];
    return [row];
  });
}

/** How a codec looks on the wire, in words. */
function shape(codec: Codec): string {
  switch (codec.kind) {
    case 'uint':
      return `u${(8 * codec.width).toString()}, ${codec.min.toString()} to ${codec.max.toString()}`;
    case 'oneOf':
      return `u8: ${Object.entries(codec.names)
        .map(([name, number]) => `${number.toString()} ${name}`)
        .join(', ')}`;
    case 'flags':
      return `u8 bits: ${Object.entries(codec.bits)
        .map(([name, mask]) => `${hex(mask)} ${name}`)
        .join(', ')}`;
    case 'text':
      return `UTF-8${prefixed(codec.prefix)}, at most ${codec.max.toString()} bytes`;
    case 'blob':
      return `bytes${prefixed(codec.prefix)}, at most ${codec.max.toString()}`;
    case 'fixed':
      return `${codec.length.toString()} bytes`;
    case 'list':
      return `u${(8 * codec.prefix).toString()} count, then each item, at most ${codec.max.toString()}`;
    case 'group':
      return 'its members in order';
  }
}

function prefixed(prefix: 0 | 1 | 2): string {
  return prefix === 0 ? ' up to the end' : ` after their length (u${(8 * prefix).toString()})`;
}

function userFields(): string {
  const rows = FIELD_NAMES.map((name) => {
    const { number, codec, doc } = FIELDS[name];
    const inside: Codec = codec;
    const members =
      inside.kind === 'group'
        ? Object.entries(inside.fields)
            .map(([member, one]) => `${member}: ${shape(one)}`)
            .join('; ')
        : shape(inside);
    return [
      `\`${name}\``,
      hex(number),
      number < 0x40 ? 'u8' : number < 0x80 ? 'u16' : 'u32',
      members,
      'secret' in FIELDS[name] ? 'yes' : '',
      doc,
    ];
  });
  return markdown(['field', 'number', 'length', 'value', 'secret', 'meaning'], rows);
}

function logKinds(): string {
  return markdown(
    ['log', 'code', 'meaning'],
    Object.entries(LOG_KINDS).map(([name, { code, doc }]) => [
      `\`${name}\``,
      `0x${code.toString(16).padStart(4, '0')}`,
      doc,
    ]),
  );
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
