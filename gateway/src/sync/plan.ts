import type { AutoSync } from '../settings/runtime.ts';
import type { LedgerRow } from '../store/store.ts';
import { inScope } from './scope.ts';
import type { Place } from './scope.ts';

/** What is to happen at each terminal after a user changed, was deleted, or the scope did. */
export interface PlanInput {
  readonly user: number;
  /** Access groups; `undefined` when the user is deleted. */
  readonly groups: readonly number[] | undefined;
  /** The user's version now. */
  readonly version: number;
  readonly rows: readonly LedgerRow[];
  readonly places: readonly Place[];
  readonly autoSync: AutoSync;
  /** Milliseconds UTC. */
  readonly now: number;
}

/**
 * The ledger rows that have to be written; those that stay as they are are left out. A row that is verified (or on its
 * way, or failed) for this very version stays, so that nobody gets anything again because another terminal did not.
 */
export function planLedger(input: PlanInput): LedgerRow[] {
  const rows = new Map(input.rows.map((row) => [row.terminal, row]));
  const planned: LedgerRow[] = [];
  for (const place of input.places.filter(({ portable }) => !portable)) {
    const row = rows.get(place.terminal);
    const next = input.groups === undefined ? removal(input, row) : presence(input, input.groups, place, row);
    if (next !== undefined) planned.push(next);
  }
  return planned;
}

function presence(
  input: PlanInput,
  groups: readonly number[],
  place: Place,
  row: LedgerRow | undefined,
): LedgerRow | undefined {
  if (input.autoSync === 'off') return undefined;
  if (!inScope(input.autoSync, groups, place)) return removal(input, row);
  if (row?.want === 'present' && row.state === 'withheld') return undefined;
  if (row?.want === 'present' && row.version === input.version) return undefined;
  return pendingRow(input, place.terminal, 'present');
}

/** Somebody else with this id is not removed; nor is who was deleted there, as long as the user exists. */
function removal(input: PlanInput, row: LedgerRow | undefined): LedgerRow | undefined {
  if (row === undefined || row.reason === 'two-people') return undefined;
  // What was held back is due once something goes out by itself again.
  if (row.want === 'absent' && (row.state !== 'withheld' || input.autoSync === 'off')) return undefined;
  if (row.reason === 'deleted-at-terminal' && row.state === 'withheld' && input.groups !== undefined)
    return undefined;
  const pending = pendingRow(input, row.terminal, 'absent');
  return input.autoSync === 'off' ? heldBack(pending) : pending;
}

/** What would be done, and is not as long as nothing goes out by itself. */
export function heldBack({ nextTry: _, ...row }: LedgerRow): LedgerRow {
  return { ...row, state: 'withheld' };
}

/** A row that is to be done at once. */
export function pendingRow(
  input: Pick<PlanInput, 'user' | 'version' | 'now'>,
  terminal: string,
  want: LedgerRow['want'],
): LedgerRow {
  return {
    user: input.user,
    terminal,
    want,
    state: 'pending',
    version: input.version,
    attempts: 0,
    nextTry: input.now,
  };
}
