import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { nearest, WhorlError, wording } from '@whorl/protocol';
import { z } from 'zod';
import { userEditSchema } from '../http/views.ts';
import type { UserEditView, UserView } from '../http/views.ts';

export type ExportedUser =
  UserView | { readonly id: number; readonly fields: Readonly<Record<string, string>> };
type ImportUser = Omit<UserEditView, 'clear'> & { readonly id: number };

const CARDS = ['0', '1', '2', '3', '4', '5', '6', '7'];
const COLUMNS = [
  'id',
  'name',
  'valid_from',
  'valid_until',
  'auth',
  'groups',
  ...CARDS.map((slot) => `card_${slot}`),
];
const rowSchema = userEditSchema.omit({ clear: true }).extend({ id: z.int().min(1).max(0xffff_ffff) });

/** Users of a CSV or JSON file, and what is wrong with the others, each with its place. @throws WhorlError IMPORT_ROW */
export function readRows(file: string, bytes: Uint8Array): { users: ImportUser[]; bad: string[] } {
  const text = textOf(file, bytes);
  const rows = file.endsWith('.json') ? jsonRows(file, text) : csvRows(file, text);
  const users: ImportUser[] = [];
  const bad: string[] = [];
  const seen = new Set<number>();
  for (const { place, value } of rows) {
    const parsed = rowSchema.safeParse(value);
    if (!parsed.success)
      bad.push(
        ...parsed.error.issues.map(
          (issue) => `${place}: ${whereIn(file, issue.path)}: ${wording(issue, value)}`,
        ),
      );
    else if (seen.has(parsed.data.id)) bad.push(`${place}: user ${parsed.data.id} stands twice in the file`);
    else {
      seen.add(parsed.data.id);
      users.push(parsed.data);
    }
  }
  return { users, bad };
}

/** @throws WhorlError IMPORT_ROW naming the first line that is not UTF-8 */
function textOf(file: string, bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const lines = Buffer.from(bytes).toString('latin1').split('\n');
    const line = lines.findIndex((one) => {
      const raw = Buffer.from(one, 'latin1');
      return !raw.equals(Buffer.from(raw.toString('utf8'), 'utf8'));
    });
    throw new WhorlError(
      'IMPORT_ROW',
      `${file}:${line + 1}: letters that are not UTF-8; save the file as "CSV UTF-8"`,
      { cause },
    );
  }
}

/** The member of a row as the file calls it. */
function whereIn(file: string, path: readonly PropertyKey[]): string {
  const [member = '', slot] = path.map(String);
  if (file.endsWith('.json')) return path.join('.');
  if (member === 'cards') return `column card_${slot ?? ''}`;
  return `column ${member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}

function jsonRows(file: string, text: string): { place: string; value: unknown }[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new WhorlError('IMPORT_ROW', `${file}: ${cause instanceof Error ? cause.message : 'not JSON'}`, {
      cause,
    });
  }
  if (!Array.isArray(list)) throw new WhorlError('IMPORT_ROW', `${file}: a list of users is expected`);
  return list.map((value: unknown, index) => ({
    place: `${file}[${index}]`,
    value: value instanceof Object ? editable(value) : value,
  }));
}

/** An export for people can be imported again: what only the gateway knows is passed over. */
function editable(value: object): object {
  const known: Record<string, unknown> = { ...value };
  for (const key of ['version', 'credentials', 'fields', 'changed']) Reflect.deleteProperty(known, key);
  return known;
}

function csvRows(file: string, text: string): { place: string; value: unknown }[] {
  let lines: { record: Record<string, string>; info: { lines: number } }[];
  try {
    lines = parse(text, {
      columns: (header: string[]) => checkedHeader(file, header),
      info: true,
      skip_empty_lines: true,
      trim: true,
      bom: true,
    });
  } catch (cause) {
    if (cause instanceof WhorlError) throw cause;
    throw new WhorlError('IMPORT_ROW', `${file}: ${cause instanceof Error ? cause.message : 'not CSV'}`, {
      cause,
    });
  }
  return lines.map(({ record, info }) => ({ place: `${file}:${info.lines}`, value: userOf(record) }));
}

function checkedHeader(file: string, header: readonly string[]): string[] {
  for (const column of header) {
    if (COLUMNS.includes(column)) continue;
    throw new WhorlError(
      'IMPORT_ROW',
      `${file}:1: no column is called ${column}; did you mean ${nearest(column, COLUMNS) ?? COLUMNS.join(', ')}?`,
    );
  }
  if (!header.includes('id')) throw new WhorlError('IMPORT_ROW', `${file}:1: the column id is missing`);
  return [...header];
}

function userOf(row: Readonly<Record<string, string>>): object {
  const cell = (column: string): string | undefined =>
    row[column] === undefined || row[column] === '' ? undefined : plain(row[column]);
  const cards = CARDS.flatMap((slot) => {
    const [number, format] = (cell(`card_${slot}`) ?? '').split('/');
    return number === undefined || number === '' ? [] : [[slot, { number, format: Number(format ?? 1) }]];
  });
  const groups = cell('groups');
  return Object.fromEntries(
    Object.entries({
      id: Number(row['id']),
      name: cell('name'),
      validFrom: cell('valid_from'),
      validUntil: cell('valid_until'),
      auth: cell('auth'),
      groups: groups === undefined ? undefined : groups.split(/[ ;,]+/).map(Number),
      cards: cards.length === 0 ? undefined : (Object.fromEntries(cards) as Record<string, object>),
    }).filter(([, value]) => value !== undefined),
  );
}

/** The text of an export, by the file's ending. */
export function exportText(file: string, users: readonly ExportedUser[]): string {
  if (file.endsWith('.json')) return `${JSON.stringify(users, undefined, 2)}\n`;
  const rows = users.flatMap((user) => ('version' in user ? [rowOf(user)] : []));
  return stringify([COLUMNS, ...rows]);
}

function rowOf(user: UserView): string[] {
  const cards = CARDS.map((slot) => {
    const card = user.cards[slot];
    return card === undefined ? '' : `${card.number}/${card.format}`;
  });
  return [
    String(user.id),
    harmless(user.name),
    user.validFrom ?? '',
    user.validUntil ?? '',
    user.auth ?? '',
    user.groups.join(' '),
    ...cards,
  ];
}

/** A spreadsheet would run a cell that begins like a formula; an apostrophe makes it text. */
function harmless(text: string): string {
  return /^[=+\-@\t']/.test(text) ? `'${text}` : text;
}

function plain(text: string): string {
  return /^'[=+\-@\t']/.test(text) ? text.slice(1) : text;
}
