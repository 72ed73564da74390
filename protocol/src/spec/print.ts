import type { Codec, Fields } from '../codec/codec.ts';
import { LOG_KINDS } from '../log/log.ts';
import { CATALOGUE } from '../messages/catalogue.ts';
import type { MessageRow } from '../messages/catalogue.ts';
import { REGISTERS } from '../modbus/registers.ts';
import type { RegisterRow } from '../modbus/registers.ts';
import { FIELD_NAMES, FIELDS } from '../user/fields.ts';
import type { FieldName } from '../user/fields.ts';
import { printExample } from './vectors.ts';

/** The parts of SPEC.md that are printed from the rows that the code runs on, by the name in their marker. */
export function specTables(): ReadonlyMap<string, string> {
  return new Map([
    ['example', printExample()],
    ['messages', messages()],
    ['bodies', bodies()],
    ['fields', userFields()],
    ['logs', logKinds()],
    ['registers', registers()],
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

function registers(): string {
  const rows = Object.entries<RegisterRow>(REGISTERS).map(([name, row]) => [
    `\`${name}\``,
    row.kind,
    row.address.toString(),
    row.unit ?? '',
    row.doc,
  ]);
  return markdown(['register', 'kind', 'address', 'unit', 'meaning'], rows);
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
        `**\`${name}\`** (${hex(row.type)})\n\n${markdown(['field', 'on the wire', 'meaning'], fieldRows(row.fields, ''))}`,
    )
    .join('\n\n');
}

function fieldRows(fields: Fields, prefix: string): string[][] {
  return Object.entries(fields).flatMap(([name, codec]) => {
    const path = `${prefix}${name}`;
    const row = [`\`${path}\``, shape(codec), codec.secret === true ? `${codec.doc} Secret.` : codec.doc];
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
      return `u${bits(codec.width)}${range(codec)}${codec.unit === undefined ? '' : `, ${codec.unit}`}`;
    case 'oneOf':
      return `u8: ${Object.entries(codec.names)
        .map(([name, number]) => `${number.toString()} ${name}`)
        .join(', ')}`;
    case 'flags':
      return `u8, bits: ${Object.entries(codec.bits)
        .map(([name, mask]) => `${hex(mask)} ${name}`)
        .join(', ')}`;
    case 'text':
      return `UTF-8${prefixed(codec.prefix)}, at most ${codec.max.toString()} bytes`;
    case 'blob':
      return `bytes${prefixed(codec.prefix)}, at most ${codec.max.toString()}`;
    case 'fixed':
      return `${codec.length.toString()} bytes`;
    case 'list':
      return `u${bits(codec.prefix)} count, at most ${codec.max.toString()}, then each: ${shape(codec.item)}`;
    case 'group':
      return 'its members in order';
  }
}

function range({ width, min, max }: { width: number; min: number; max: number }): string {
  const most = 2 ** (8 * width) - 1;
  if (min === 0 && max === most) return '';
  return max === most ? `, from ${min.toString()}` : `, ${min.toString()} to ${max.toString()}`;
}

function bits(bytes: number): string {
  return (8 * bytes).toString();
}

function prefixed(prefix: 0 | 1 | 2): string {
  return prefix === 0 ? ' up to the end' : ` after their length (u${bits(prefix)})`;
}

function userFields(): string {
  const rows = slots().map(([first, last]) => {
    const { number, codec, doc } = FIELDS[first];
    const alone = first === last;
    return [
      alone ? `\`${first}\`` : `\`${first}\` … \`${last}\``,
      alone ? hex(number) : `${hex(number)} … ${hex(FIELDS[last].number)}`,
      number < 0x40 ? 'u8' : number < 0x80 ? 'u16' : 'u32',
      inside(codec),
      'secret' in FIELDS[first] ? 'yes' : '',
      alone ? doc : codec.doc,
    ];
  });
  return markdown(['field', 'number', 'length', 'value', 'secret', 'meaning'], rows);
}

/** Runs of fields that are slots for the same thing, as first and last. */
function slots(): [FieldName, FieldName][] {
  const runs: [FieldName, FieldName][] = [];
  for (const name of FIELD_NAMES) {
    const run = runs.at(-1);
    if (run !== undefined && FIELDS[run[0]].codec === FIELDS[name].codec) run[1] = name;
    else runs.push([name, name]);
  }
  return runs;
}

function inside(codec: Codec): string {
  if (codec.kind !== 'group') return shape(codec);
  return Object.entries(codec.fields)
    .map(([member, one]) => `${member}: ${shape(one)}`)
    .join('; ');
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
