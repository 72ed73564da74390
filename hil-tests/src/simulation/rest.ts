import type { Rig } from '../rig/rig.ts';

const PATIENCE_MS = 20 * 60_000;

/** Waits until nothing is on its way any more, and all that terminals logged is read. */
export async function comeToRest(rig: Rig): Promise<void> {
  const isAtRest = async (): Promise<boolean> => {
    if ([...rig.terminals.values()].some((terminal) => terminal.power !== 'on')) return false;
    const status = await rig.gateway.operations.status();
    if (status.openPulls > 0) return false;
    const busy = status.terminals.some(
      ({ state, unknown, ledger }) =>
        state !== 'online' || unknown !== undefined || ledger.pending + ledger.sending > 0,
    );
    if (busy) return false;
    const failed = await rig.gateway.store.ledger({ state: 'failed', limit: 1000 });
    if (failed.some((row) => row.nextTry !== undefined)) return false;
    const read = new Map((await rig.gateway.store.terminals()).map((row) => [row.name, row.position.id]));
    return [...rig.terminals].every(
      ([name, terminal]) => (read.get(name) ?? 0) >= (terminal.logs(1)[0]?.id ?? 0),
    );
  };
  await rig.until('the site at rest', isAtRest, { withinMs: PATIENCE_MS });
}
