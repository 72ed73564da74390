import type { Gateway } from '@whorl/gateway';
import type { Clock } from '@whorl/protocol';
import type { Site } from './site.ts';

type Status = Awaited<ReturnType<Gateway['operations']['status']>>;
type LineStatus = Status['lines'][number];
type TerminalStatus = Status['terminals'][number];

const LOOK_MS = 50;
/** Nobody else has answered for so long: a terminal that starts takes less. */
const SILENT_MS = 20_000;
/** A port that cannot be opened is not waited for that long: there is nobody behind it. */
const CLOSED_MS = 2_000;
/** Amid a run it may just have been pulled and plugged in again: an adapter is back within this time. */
export const BACK_MS = 5_000;

/**
 * Waits until all terminals of a site answer, or nobody else comes any more.
 * @param signal ends it early, as if all were there
 * @param closedMs how long a port is waited for that cannot be opened
 * @returns of each line that is not open, and of each terminal on the others that does not answer, why
 */
export async function absent(
  site: Site,
  {
    clock,
    signal,
    closedMs = CLOSED_MS,
  }: { readonly clock: Clock; readonly signal?: AbortSignal; readonly closedMs?: number },
): Promise<readonly string[]> {
  let [there, since] = [-1, 0];
  while (signal?.aborted !== true) {
    const { terminals, lines } = await site.gateway.operations.status();
    const away = terminals.filter(({ state }) => state === 'offline');
    if (away.length === 0) return [];
    if (terminals.length - away.length > there)
      [there, since] = [terminals.length - away.length, clock.now()];
    const shut = new Map(lines.flatMap((line) => (line.reason === undefined ? [] : [[line.name, line]])));
    const patience = away.every(({ line }) => shut.has(line)) ? closedMs : SILENT_MS;
    if (clock.now() - since >= patience) return told(away, shut);
    await site.pass(LOOK_MS);
  }
  return [];
}

function told(away: readonly TerminalStatus[], shut: ReadonlyMap<string, LineStatus>): string[] {
  const lines = [...shut.values()].map(({ name, over, reason = '' }) => `line ${name} (${over}): ${reason}`);
  const terminals = away
    .filter(({ line }) => !shut.has(line))
    .map(({ name, line, reason = 'no reason is known' }) => `${name} on line ${line}: ${reason}`);
  return [...lines, ...terminals];
}
