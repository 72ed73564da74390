import { count } from './results.ts';
import type { Result, Run } from './results.ts';

const MARKS = { passed: '✓', failed: '✗', 'left-out': '–' } as const;

/** A behaviour as it ended, in a line or two. */
export function showResult({ suite, title, state, ms, reason }: Result): string {
  const line = `${MARKS[state]} ${suite.padEnd(10)} ${title}${state === 'left-out' ? '' : `  ${seconds(ms)}`}`;
  return state === 'failed' ? `${line}\n    ${(reason ?? '').replaceAll('\n', '\n    ')}` : line;
}

/** The whole run: a row for each suite, what was left out and why, what failed. */
export function showRun(run: Run): string {
  const suites = [...new Set(run.results.map(({ suite }) => suite))].sort();
  const rows = suites.map((suite) => {
    const mine = run.results.filter((one) => one.suite === suite);
    const of = (state: Result['state']): string => String(mine.filter((one) => one.state === state).length);
    const ms = mine.reduce((sum, one) => sum + one.ms, 0);
    return [suite, of('passed'), of('failed'), of('left-out'), seconds(ms)];
  });
  const parts = [
    ...(rows.length === 0 ? [] : [table([['suite', 'passed', 'failed', 'left out', 'time'], ...rows])]),
    ...leftOut(run),
    ...run.errors.map((error) => `Outside of any behaviour: ${error}`),
    summary(run),
  ];
  return parts.join('\n\n');
}

function leftOut({ results }: Run): string[] {
  const by = Map.groupBy(
    results.filter(({ state }) => state === 'left-out'),
    ({ reason }) => reason ?? '',
  );
  if (by.size === 0) return [];
  const told = [...by].map(
    ([reason, those]) =>
      `  ${reason}\n${those.map(({ suite, title }) => `    ${suite}: ${title}`).join('\n')}`,
  );
  return [`Left out on this rig:\n${told.join('\n')}`];
}

function summary(run: Run): string {
  const [passed, failed, left] = [count(run, 'passed'), count(run, 'failed'), count(run, 'left-out')];
  const counts = `${passed} passed, ${failed} failed, ${left} left out, in ${seconds(run.ms)}`;
  if (run.interrupted) return `Interrupted: ${counts}.`;
  return passed + failed === 0 ? `Nothing ran: ${counts}.` : `${counts}.`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
