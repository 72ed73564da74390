import { codeOf, WhorlError } from '@whorl/protocol';
import type {
  Conflict,
  ConflictFilter,
  ConflictSummary,
  LedgerRow,
  StoredUser,
  UserChange,
} from '../store/store.ts';
import { nextVersion } from './former.ts';
import { pendingRow } from './plan.ts';
import { heldApart } from './pulled.ts';
import { accepted, reopened, replacedBy, resolved, withoutTheirs, withTheirs } from './resolutions.ts';
import { groupsOf, inScope } from './scope.ts';
import type { Site } from './site.ts';
import { siteOf } from './site-names.ts';
import { eventFor, MOST_RACES, planFor } from './users.ts';

/**
 * How a conflict is decided. `ours`: the gateway's value stays, and a terminal where somebody else has the id gets the
 * gateway's. `theirs`: the terminal's takes its place; of two people, the terminal's has the id from now on. `new-id`,
 * for two people: the terminal's becomes a user of their own.
 */
export type Decision =
  | { readonly take: 'ours' | 'theirs' }
  /** @property user the id that they get; a free one when not given */
  | { readonly take: 'new-id'; readonly user?: number };

/** Which conflicts are decided together; only open ones are. */
export type InboxFilter = Pick<ConflictFilter, 'user' | 'terminal' | 'kind'>;

const PAGE = 500;

/**
 * Decides a conflict, plans what follows at the terminals, and tells of it, in one transaction. Deciding the same twice
 * has the effect of once.
 * @throws WhorlError CONFLICT_UNKNOWN, CONFLICT_DECIDED, CONFLICT_KIND, USER_EXISTS, STORE_*
 */
export async function decideConflict(site: Site, id: number, decision: Decision): Promise<ConflictSummary> {
  const decided = await decide(site, id, decision);
  await lookAgain(site, decided);
  return decided;
}

function decide(site: Site, id: number, decision: Decision): Promise<ConflictSummary> {
  return settle(site, id, async (conflict) => {
    if (isDecided(conflict, decision)) return [];
    switch (decision.take) {
      case 'ours':
        return [await keepOurs(site, conflict)];
      case 'theirs':
        return [await takeTheirs(site, conflict)];
      case 'new-id':
        return partPeople(site, conflict, decision.user);
    }
  });
}

/**
 * Decides all open conflicts that the filter names, one after the other; repeated after a failure, it goes on. Only then is
 * looked again at those of the same people that are left: what is decided next must not be fetched before.
 * @returns how many were decided
 * @throws WhorlError STORE_*
 */
export async function decideConflicts(
  site: Site,
  filter: InboxFilter,
  take: 'ours' | 'theirs',
): Promise<number> {
  let decided = 0;
  const people = new Map<number, ConflictSummary>();
  try {
    for (let after = 0; ;) {
      const page = await site.store.conflicts({ ...filter, state: 'open', after, limit: PAGE });
      const last = page.at(-1);
      if (last === undefined) return decided;
      for (const one of page)
        if (await decidedNow(site, one.id, take)) {
          decided += 1;
          if (one.kind === 'two-people') people.set(one.user, one);
        }
      after = last.id;
    }
  } finally {
    for (const one of people.values()) await lookAgain(site, one);
  }
}

/** Somebody else who was faster does not stop the others. */
async function decidedNow(site: Site, id: number, take: 'ours' | 'theirs'): Promise<boolean> {
  try {
    await decide(site, id, { take });
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'CONFLICT_DECIDED' || code === 'CONFLICT_UNKNOWN') return false;
    throw error;
  }
}

/**
 * Takes a decision back: the conflict is open again, and the user is as before. What a terminal has got meanwhile
 * stays there until the conflict is decided again; a terminal that has not got it yet keeps its own. Harmless when the
 * conflict is open.
 * @throws WhorlError CONFLICT_UNKNOWN; CONFLICT_CHANGED when the user was changed since; STORE_*
 */
export async function undoConflict(site: Site, id: number): Promise<ConflictSummary> {
  const undone = await settle(site, id, async (conflict) => {
    switch (conflict.state) {
      case 'open':
        return [];
      case 'ours':
        return [await openAgain(site, conflict)];
      case 'theirs':
        return [
          conflict.made === undefined ? await openAgain(site, conflict) : await giveBack(site, conflict),
        ];
      case 'new-id':
        return joinPeople(site, conflict);
    }
  });
  await lookAgain(site, undone);
  return undone;
}

/** @param step the changes that follow, none when there is nothing to do; called again when somebody else was faster */
async function settle(
  site: Site,
  id: number,
  step: (conflict: Conflict) => Promise<readonly UserChange[]>,
): Promise<ConflictSummary> {
  for (let race = 0; race < MOST_RACES; race += 1) {
    const conflict = await site.store.conflict(id);
    if (conflict === undefined) throw new WhorlError('CONFLICT_UNKNOWN', `there is no conflict ${id}`);
    const changes = (await step(conflict)).map((change) => forSites(conflict, change));
    if (changes.length === 0) return conflict;
    const events = await site.store.saveUsers(changes);
    if (events === undefined) continue;
    site.publish(events);
    site.wake();
    return (await site.store.conflict(id)) ?? conflict;
  }
  throw new WhorlError('USER_CHANGED', `conflict ${id} is being changed by others without a pause`);
}

/** What another site's terminal holds is that site's to bring in line: it is told of the user anew. */
function forSites({ terminal }: Conflict, change: UserChange): UserChange {
  if (siteOf(terminal) === undefined) return change;
  const ledger = change.ledger.filter((row) => row.terminal !== terminal);
  return { ...change, ledger, sites: [...(change.sites ?? []), { kind: 'logged', user: change.user }] };
}

/** The user may be another one now: who waits under the id elsewhere may be no other person any more. */
async function lookAgain(site: Site, { id, user, kind }: ConflictSummary): Promise<void> {
  if (kind !== 'two-people') return;
  for (const other of await site.store.conflictsOf(user)) {
    if (other.id === id || other.kind !== 'two-people' || other.state !== 'open') continue;
    if (siteOf(other.terminal) !== undefined) continue;
    await site.store.requestPull({ user, terminal: other.terminal, log: 0, attempts: 0, nextTry: site.now });
    site.wake(other.terminal);
  }
}

/** @throws WhorlError CONFLICT_DECIDED when it was decided otherwise */
function isDecided(conflict: Conflict, decision: Decision): boolean {
  if (conflict.state === 'open') return false;
  const given = decision.take === 'new-id' ? decision.user : undefined;
  if (conflict.state === decision.take && (given === undefined || given === conflict.newUser)) return true;
  throw new WhorlError('CONFLICT_DECIDED', `conflict ${conflict.id} was decided: ${conflict.state}`);
}

async function keepOurs(site: Site, conflict: Conflict): Promise<UserChange> {
  const held = await site.store.user(conflict.user);
  return {
    ...unchanged(site, conflict, held),
    ledger: conflict.kind === 'two-people' ? atTerminal(site, conflict, held) : [],
    conflicts: [resolved(conflict, { state: 'ours', now: site.now })],
  };
}

async function takeTheirs(site: Site, conflict: Conflict): Promise<UserChange> {
  const held = await site.store.user(conflict.user);
  const dispute = { conflict, held, now: site.now };
  const next = withTheirs(dispute);
  const planned = await planFor(site, conflict.user, next.record, next.version);
  const people = conflict.kind === 'two-people';
  return {
    user: conflict.user,
    from: held?.version ?? 0,
    next,
    ledger: people ? besides(planned, atTerminal(site, conflict, next)) : planned,
    conflicts: [
      resolved(conflict, {
        state: 'theirs',
        now: site.now,
        made: next.version,
        before: replacedBy(dispute),
      }),
    ],
    events: [eventFor(site, conflict.user, held, next)],
    time: site.now,
  };
}

async function partPeople(site: Site, conflict: Conflict, wanted: number | undefined): Promise<UserChange[]> {
  if (conflict.kind !== 'two-people')
    throw new WhorlError('CONFLICT_KIND', `conflict ${conflict.id} is about ${conflict.kind} of one person`);
  const user = wanted ?? (await site.store.freeUser());
  if ((await site.store.user(user)) !== undefined || user === conflict.user)
    throw new WhorlError('USER_EXISTS', `user ${user} exists already`);
  const held = await site.store.user(conflict.user);
  const record = { id: user, fields: conflict.theirs.record.fields };
  const next = nextVersion(undefined, record, accepted(conflict, site.now));
  const planned = await planFor(site, user, record, next.version);
  const about = { user, version: next.version, now: site.now };
  const there = notCarried(site, pendingRow(about, conflict.terminal, 'present'));
  return [
    {
      ...unchanged(site, conflict, held),
      ledger: atTerminal(site, conflict, held),
      conflicts: [resolved(conflict, { state: 'new-id', now: site.now, made: next.version, newUser: user })],
    },
    {
      user,
      from: 0,
      next,
      ledger: besides(planned, there),
      events: [eventFor(site, user, undefined, next)],
      time: site.now,
    },
  ];
}

async function openAgain(site: Site, conflict: Conflict): Promise<UserChange> {
  const held = await site.store.user(conflict.user);
  return {
    ...unchanged(site, conflict, held),
    ledger: await keptThere(site, conflict, held),
    conflicts: [reopened(conflict, site.now)],
  };
}

async function giveBack(site: Site, conflict: Conflict): Promise<UserChange> {
  const held = await site.store.user(conflict.user);
  const next = withoutTheirs({ conflict, held, now: site.now });
  const from = held?.version ?? 0;
  const planned = await planFor(site, conflict.user, next?.record, next?.version ?? from + 1);
  const apart = notCarried(site, heldApart(conflict.user, conflict.terminal, next?.version ?? 0));
  return {
    user: conflict.user,
    from,
    next,
    ledger: conflict.kind === 'two-people' ? besides(planned, apart) : planned,
    conflicts: [reopened(conflict, site.now)],
    events: [eventFor(site, conflict.user, held, next)],
    time: site.now,
  };
}

async function joinPeople(site: Site, conflict: Conflict): Promise<UserChange[]> {
  const back = await openAgain(site, conflict);
  const user = conflict.newUser ?? 0;
  const held = await site.store.user(user);
  if (held === undefined) return [back];
  if (held.version !== conflict.made)
    throw new WhorlError('CONFLICT_CHANGED', `user ${user}, who came of it, was changed since`);
  return [
    back,
    {
      user,
      from: held.version,
      next: undefined,
      ledger: await planFor(site, user, undefined, held.version + 1),
      events: [eventFor(site, user, held, undefined)],
      time: site.now,
    },
  ];
}

function unchanged(
  site: Site,
  conflict: Conflict,
  held: StoredUser | undefined,
): Pick<UserChange, 'user' | 'from' | 'next' | 'events' | 'time'> {
  return { user: conflict.user, from: held?.version ?? 0, next: held, events: [], time: site.now };
}

/** What the terminal where somebody else had the id gets: the user, or nobody where it is out of reach. */
function atTerminal(site: Site, { user, terminal }: Conflict, held: StoredUser | undefined): LedgerRow[] {
  const place = site.places.find((one) => one.terminal === terminal);
  const { autoSync } = site.settings;
  const reached =
    held !== undefined &&
    (autoSync === 'off' || (place !== undefined && inScope(autoSync, groupsOf(held.record), place)));
  const about = { user, version: held?.version ?? 0, now: site.now };
  return notCarried(site, pendingRow(about, terminal, reached ? 'present' : 'absent'));
}

/** A portable terminal gets what was decided with its next sync, and nothing outside of one. */
function notCarried(site: Site, row: LedgerRow): LedgerRow[] {
  return site.isPortable(row.terminal) ? [] : [row];
}

/** As long as the terminal has not got the decision it keeps who is there. */
async function keptThere(
  site: Site,
  { kind, user, terminal }: Conflict,
  held: StoredUser | undefined,
): Promise<LedgerRow[]> {
  if (kind !== 'two-people') return [];
  const row = (await site.store.ledgerOf([user])).find((one) => one.terminal === terminal);
  const got = row === undefined || row.state === 'sending' || row.delivered !== undefined;
  return got ? [] : notCarried(site, heldApart(user, terminal, held?.version ?? 0));
}

function besides(planned: readonly LedgerRow[], rows: readonly LedgerRow[]): LedgerRow[] {
  const there = new Set(rows.map(({ terminal }) => terminal));
  return [...planned.filter(({ terminal }) => !there.has(terminal)), ...rows];
}
