import { z } from 'zod';
import type { Action } from './action.ts';
import { LINE_ACTIONS, MODULE_ACTIONS, TERMINAL_ACTIONS } from './actions.ts';
import { showDisplay } from './portable-actions.ts';
import { detailsView } from './views.ts';

/** What the emulator answers, as far as the commands print it. */
const terminalAnswer = z.looseObject({
  name: z.string(),
  line: z.string(),
  place: z.string(),
  address: z.number(),
  serial: z.string(),
  model: z.string(),
  power: z.string(),
  plugged: z.boolean(),
  users: z.number().nullable(),
});

export const terminalsAnswer = z.array(terminalAnswer);

export const detailsAnswer = terminalAnswer.extend({
  failure: z.string().nullable().default(null),
  boots: z.number().optional(),
  clock: z.string().optional(),
  epoch: z.number().optional(),
  table: z.string().optional(),
  digests: z.record(z.string(), z.string()).optional(),
  display: detailsView.shape.display,
  logs: z
    .array(
      z.object({
        id: z.number(),
        time: z.number(),
        kind: z.string(),
        origin: z.string(),
        user: z.number(),
        detail: z.number(),
      }),
    )
    .optional(),
});

const TITLES = ['terminal', 'line', 'address', 'model', 'power', 'users', 'serial', 'place'];

/** Terminals as a table. */
export function showTerminals(list: z.infer<typeof terminalsAnswer>): string {
  return table([
    TITLES,
    ...list.map((one) => [
      one.name,
      one.line,
      String(one.address),
      one.model,
      one.plugged ? one.power : `${one.power}, unplugged`,
      String(one.users ?? '–'),
      one.serial,
      one.place,
    ]),
  ]);
}

/** All about one terminal. */
export function showDetails(one: z.infer<typeof detailsAnswer>): string {
  const facts = [
    ['serial', one.serial],
    ['model', one.model],
    ['line', `${one.line}, address ${one.address}, ${one.place}`],
    [
      'power',
      `${one.power}${one.plugged ? '' : ', unplugged'}${one.failure === null ? '' : `: ${one.failure}`}`,
    ],
    ...(one.boots === undefined ? [] : [['starts', String(one.boots)]]),
    ...(one.clock === undefined ? [] : [['clock', one.clock]]),
    ...(one.table === undefined ? [] : [['users', `${one.users ?? 0}, digest ${one.table}`]]),
  ];
  const users = Object.entries(one.digests ?? {}).map(([id, digest]) => [id, digest]);
  const logs = (one.logs ?? []).map((log) => [
    `#${log.id}`,
    new Date(log.time).toISOString(),
    log.kind,
    log.origin,
    log.user === 0 ? '' : `user ${log.user}`,
    log.detail === 0 ? '' : `detail ${log.detail}`,
  ]);
  const parts: [string, string[][]][] = [
    [one.name, facts],
    ['\nDisplay', one.display === undefined ? [] : showDisplay(one.display)],
    ['\nUsers', users],
    ['\nLog, newest last', logs],
  ];
  return parts
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `${title}\n${indented(table(rows))}`)
    .join('\n');
}

/** What an action answered, in a line. */
export function showAnswer(target: string, action: string, answer: object): string {
  const told = Object.entries(answer).map(([key, value]) => `${key} ${showValue(value)}`);
  return `${target}: ${action}${told.length === 0 ? '' : `: ${told.join(', ')}`}`;
}

const MOST_LISTED = 12;

function showValue(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  const items = value.map((item: unknown) => String(item));
  const ends = `${items[0] ?? ''} … ${items.at(-1) ?? ''} (${items.length})`;
  return items.length > MOST_LISTED ? ends : items.join(' ');
}

/** Help for all actions. */
export function showActions(): string {
  const rows = (table_: Readonly<Record<string, Action<never>>>): string[][] =>
    Object.entries(table_).flatMap(([name, { doc, options }]) => {
      const takes = Object.keys(options).map((option) => `--${option}`);
      return [[name, doc], ...(takes.length === 0 ? [] : [['', takes.join(' ')]])];
    });
  const own = Object.fromEntries(
    Object.entries(TERMINAL_ACTIONS).filter(([name]) => !(name in LINE_ACTIONS)),
  );
  return `Actions on a terminal:\n${indented(table(rows(own)))}\n\nActions on a line, named by itself or by a terminal on it:\n${indented(table(rows(LINE_ACTIONS)))}\n\nActions on a module:\n${indented(table(rows(MODULE_ACTIONS)))}`;
}

/** Help for one action. */
export function showAction(name: string, { doc, options }: Action<never>): string {
  const rows = Object.entries(options).map(([option, help]) => [`--${option}`, help]);
  return `${name}: ${doc}${rows.length === 0 ? '' : `\n${indented(table(rows))}`}`;
}

/** Rows with their columns aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
