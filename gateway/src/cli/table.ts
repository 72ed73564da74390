import { fitted } from '@whorl/protocol';

/** A last column that is narrower is no good for sentences: they go below their row. */
const LEAST_LAST = 24;
const BELOW = 4;

/**
 * Cells under their headings, two blanks between columns. Where a row is wider than the terminal, its last cell goes on
 * below itself, or below the row where little room is left for it.
 * @param columns of the terminal; none where it goes elsewhere, and rows stay whole
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  columns = process.stdout.columns,
): string {
  const width = columns > 0 ? columns : Infinity;
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const text = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const start = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  const isNarrow = width - start < LEAST_LAST && [headings, ...rows].some((row) => text(row).length > width);
  const line = (cells: readonly string[]): string => {
    const [others, last = ''] = [cells.slice(0, -1), cells.at(-1)];
    const indent = isNarrow ? BELOW : start;
    const parts = last === '' ? [] : fitted(last, width - indent).split('\n');
    const first = isNarrow ? others : [...others, parts.shift() ?? ''];
    return [text(first), ...parts.map((one) => ' '.repeat(indent) + one)].join('\n');
  };
  const shown = isNarrow ? widths.slice(0, -1) : widths;
  const rule = text(shown.map((one) => '─'.repeat(one))).slice(0, width);
  return [line(headings), rule, ...rows.map(line)].join('\n');
}

/** How long ago, in the largest unit that tells something. */
export function ago(time: number | undefined, now: number): string {
  if (time === undefined) return '–';
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} d ago`;
}

/** How long something takes, in the largest unit that tells something. */
export function span(ms: number): string {
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

/** A local time that sorts. */
export function when(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
