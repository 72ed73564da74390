import type { LedgerRow, PullRequest } from '../store/store.ts';
import { belongingAt } from './belonging.ts';
import { pendingRow } from './plan.ts';
import type { Site } from './site.ts';

/** So many deletions of a user at a terminal are looked back on for the one that asks for a pull. */
const MOST_DELETIONS = 50;

/**
 * Of users who were deleted at a terminal those who are sent there all the same: as the settings say, or because whoever
 * was deleted there is not who has the number by now.
 */
export async function gettingBack(
  site: Site,
  terminal: string,
  users: readonly number[],
): Promise<ReadonlySet<number>> {
  if (users.length === 0 || site.settings.restoreDeleted) return belongingAt(site, terminal, users);
  const rows = await site.store.ledgerOf(users);
  const others = rows.filter((row) => row.terminal === terminal && row.delivered === 0);
  return belongingAt(
    site,
    terminal,
    others.map(({ user }) => user),
  );
}

/** Rows of users who were deleted at a terminal by people there: they stay away, or get back as the settings say. */
export async function goneRows(
  site: Site,
  terminal: string,
  rows: readonly LedgerRow[],
): Promise<LedgerRow[]> {
  const users = rows.map(({ user }) => user);
  const restored = await gettingBack(site, terminal, users);
  return rows.map((row) => {
    const { user, want } = row;
    if (restored.has(user)) return pendingRow({ ...row, now: site.now }, terminal, 'present');
    return {
      user,
      terminal,
      want,
      state: 'withheld',
      version: 0,
      attempts: 0,
      reason: 'deleted-at-terminal',
    };
  });
}

/**
 * The row of a user who is not there to be fetched, when the log told of that while what was fetched before was not merged
 * yet: the merge took the user to be there, and maybe nobody was held here when the log was read.
 */
export async function goneUnmerged(
  site: Site,
  { user, terminal, log }: Pick<PullRequest, 'user' | 'terminal' | 'log'>,
): Promise<LedgerRow[]> {
  const type = 'user.delete.succeeded';
  const deletions = await site.store.events({ type, terminal, user, newest: true, limit: MOST_DELETIONS });
  const isTold = deletions.some(({ data }) => 'log' in data && data.log === log);
  if (!isTold) return [];
  const rows = await site.store.ledgerOf([user]);
  const taken = rows.filter(
    (row) => row.terminal === terminal && row.want === 'present' && row.state !== 'withheld',
  );
  return goneRows(site, terminal, taken);
}
