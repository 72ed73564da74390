import type { z } from 'zod';
import { indented, table } from './show.ts';
import { lineView, moduleView } from './views.ts';

/** What the emulator answers of lines and modules, as the commands print it. */
export const lineAnswer = lineView.loose();
export const moduleAnswer = moduleView.loose();

type Line = z.infer<typeof lineAnswer>;
type Module = z.infer<typeof moduleAnswer>;

/** Lines as a table. */
export function showLines(lines: readonly Line[]): string {
  const rows = lines.map((line) => [
    line.name,
    mediumOf(line),
    stateOf(line),
    String(line.terminals.length),
    line.faults.join(' ') || '–',
    line.place,
  ]);
  return table([['line', 'medium', 'cable', 'terminals', 'faults', 'place'], ...rows]);
}

/** All about one line. */
export function showLine(line: Line): string {
  const facts = [
    ['place', line.place],
    ['medium', mediumOf(line)],
    ['cable', stateOf(line)],
    ['terminals', line.terminals.join(' ')],
    ['faults', line.faults.join(' ') || 'none'],
  ];
  const counted = Object.entries(line.counters).map(([name, count]) => [name, String(Math.round(count))]);
  return `${line.name}\n${indented(table(facts))}\n\nWhat crossed it\n${indented(table(counted))}`;
}

/** Modules as a table. */
export function showModules(modules: readonly Module[]): string {
  if (modules.length === 0) return 'There are no modules.';
  const rows = modules.map(({ name, unit, alive, registers }) => [
    name,
    String(unit),
    alive ? 'on' : 'off',
    registers.map((one) => `${one.name} ${one.value}`).join(', '),
  ]);
  return table([['module', 'unit', 'power', 'registers'], ...rows]);
}

/** All about one module. */
export function showModule({ name, unit, alive, registers }: Module): string {
  const rows = registers.map((one) => [one.name, one.kind, String(one.address), String(one.value)]);
  const told = table([['register', 'kind', 'address', 'value'], ...rows]);
  return `${name}: unit ${unit}, ${alive ? 'on' : 'off'}\n${indented(told)}`;
}

function mediumOf({ baud }: Line): string {
  return baud === null ? 'network' : `${baud} baud`;
}

function stateOf({ plugged, wired }: Line): string {
  return plugged ? (wired ? 'plugged in' : 'off its wire') : 'unplugged';
}
