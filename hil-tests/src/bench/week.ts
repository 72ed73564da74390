import process from 'node:process';
import { weekAway } from '../rig/week.ts';
import type { WeekResult } from '../rig/week.ts';

const BYTES_PER_S = 11_520;

/** The gateway was off for a week in which people edited users at the terminals: what it takes to have all in line again. */
export async function benchWeek({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const size = quick
    ? { users: 1_000, lines: 2, terminalsPerLine: 3, edits: 30 }
    : { users: 100_000, lines: 4, terminalsPerLine: 8, edits: 2_000 };
  const result = await weekAway({ ...size, seed: 3 });
  process.stderr.write(shown(result));
  const { caughtUp, compared, reports } = result;
  const wrong = reports.filter(
    ({ different, missing, extra }) => different.length + missing.length + extra.length > 0,
  );
  if (wrong.length > 0) throw new Error(`${wrong.length} terminals differ in the end`);
  return {
    'compare.week_bytes': caughtUp.bytes,
    'compare.week_line_s': caughtUp.lineSeconds,
    'compare.week_s': caughtUp.seconds,
    'compare.week_again_bytes': compared.bytes,
    'compare.week_again_line_s': compared.lineSeconds,
  };
}

function shown({ edits, caughtUp }: WeekResult): string {
  const deeds = Object.entries(edits).map(([deed, count]) => `${deed} ${count}`);
  const rows = caughtUp.terminals.map(
    ({ name, bytes, doubt = 'log', fetched, written }) =>
      `  ${name.padEnd(14)} ${doubt.padEnd(12)} ${String(fetched).padStart(7)} ${String(written).padStart(7)}` +
      ` ${String(bytes).padStart(9)} ${(bytes / BYTES_PER_S).toFixed(1).padStart(7)}`,
  );
  const head = `  ${'terminal'.padEnd(14)} ${'known by'.padEnd(12)} fetched written     bytes  line s`;
  return `  edits: ${deeds.join(', ')}\n${[head, ...rows].join('\n')}\n`;
}
