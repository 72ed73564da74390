import type { Rig } from '../rig/rig.ts';
import { isAway, isSyncing } from './carried.ts';
import type { Northbound } from './northbound.ts';

const PATIENCE_MS = 20 * 60_000;

/**
 * Waits until nothing is on its way any more, all that terminals logged is read, and all that happened was said. Who is
 * carried about offline is not waited for.
 */
export async function comeToRest(rig: Rig, north: Northbound | undefined): Promise<void> {
  const isHere = (name: string): boolean => !isAway(rig.terminal(name));
  const isAtRest = async (): Promise<boolean> => {
    const terminals = [...rig.terminals.values()];
    if (terminals.some((terminal) => terminal.power !== 'on' || isSyncing(terminal))) return false;
    // Mostly it is a log that is waited for: what costs more to ask is not asked before it is read.
    const read = new Map((await rig.gateway.store.terminals()).map((row) => [row.name, row.position.id]));
    const isRead = [...rig.terminals].every(
      ([name, terminal]) => !isHere(name) || (read.get(name) ?? 0) >= (terminal.logs(1)[0]?.id ?? 0),
    );
    if (!isRead) return false;
    const status = await rig.gateway.operations.status();
    if (status.openPulls > 0 || status.database !== undefined) return false;
    const busy = status.terminals.some(
      ({ name, state, unknown, ledger }) =>
        isHere(name) && (state !== 'online' || unknown !== undefined || ledger.pending + ledger.sending > 0),
    );
    if (busy) return false;
    const failed = await rig.gateway.store.ledger({ state: 'failed', limit: 1000 });
    if (failed.some((row) => row.nextTry !== undefined && isHere(row.terminal))) return false;
    const [newest] = await rig.gateway.store.events({ newest: true, limit: 1 });
    return north?.isAtRest(newest?.id ?? 0) !== false;
  };
  await rig.until('the site at rest', isAtRest, { withinMs: PATIENCE_MS });
}

/** Lets virtual time pass while a terminal is spoken with. @param what is awaited, for people */
export async function inTime<T>(rig: Rig, what: string, work: Promise<T>): Promise<T> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  work.then(end, end);
  await rig.until(what, () => isOver, { withinMs: PATIENCE_MS });
  return work;
}
