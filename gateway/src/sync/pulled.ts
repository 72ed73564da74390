import { fitting, recordDigest, sameBytes, showField, WhorlError } from '@whorl/protocol';
import type { Capabilities, UserRecord } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import { MERGE_KEYS } from '../settings/runtime.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type {
  Conflict,
  ConflictWrite,
  LedgerRow,
  Provenance,
  PullRequest,
  StoredUser,
  UserChange,
} from '../store/store.ts';
import { fieldConflicts, isOver, peopleConflict } from './differences.ts';
import { nextVersion } from './former.ts';
import { merge } from './merge.ts';
import type { Incoming, Merged } from './merge.ts';
import { pendingRow } from './plan.ts';
import { resolved } from './resolutions.ts';
import { groupsOf, inScope, takesUpdates } from './scope.ts';
import type { SentChange } from '../store/tasks.ts';
import type { Site } from './site.ts';
import { lastWrittenAt } from './stay.ts';
import { contradictions } from './two-people.ts';
import { MOST_RACES, planFor } from './users.ts';

const TERMINAL_WINS: RuntimeSettings['merge'] = Object.fromEntries(
  MERGE_KEYS.map((key) => [key, 'terminal-wins']),
);

/** What a merge of what a terminal holds leads to. */
export interface Decided {
  /** `undefined` when the whole user is held apart: two people under one id. */
  readonly merged: Merged | undefined;
  /** Fields that contradict, of two people. */
  readonly reasons: readonly number[];
  readonly next: StoredUser | undefined;
  readonly conflicts: readonly ConflictWrite[];
}

/** A user who has come from a terminal. */
export interface Arrived extends Pick<PullRequest, 'user' | 'terminal' | 'log' | 'changed' | 'take'> {
  /** Who brought it: what a portable terminal sent. */
  readonly brought?: {
    readonly task: number;
    readonly operator: number;
    /** What is answered, and remembered with the merge. */
    readonly sent: (decided: Decided) => SentChange;
  };
}

/** A terminal's record of a user, and all that is known about it. */
export interface Case {
  readonly user: number;
  readonly terminal: string;
  readonly held: StoredUser | undefined;
  readonly incoming: Incoming;
  readonly known: readonly Conflict[];
  readonly settings: Pick<RuntimeSettings, 'hold' | 'merge'>;
  /** Milliseconds UTC. */
  readonly now: number;
}

/** Decides what becomes of what a terminal holds: merged, or held apart. */
export function decide(it: Case): Decided {
  const { held, incoming } = it;
  const reasons = held !== undefined && it.settings.hold ? contradictions(held, incoming) : [];
  if (reasons.length > 0)
    return { merged: undefined, reasons, next: held, conflicts: peopleConflict(it, reasons) };
  const merged = merge(held, incoming, it.settings.merge);
  const grown = held === undefined || merged.filled.length + merged.replaced.length > 0;
  const next = grown ? nextVersion(held, merged.record, merged.provenance) : held;
  return {
    merged,
    reasons,
    next,
    conflicts: [...fieldConflicts(it, merged), ...settledConflicts(it, merged.record)],
  };
}

/** Who was taken for somebody else is not, any more; or the gateway holds what a terminal had otherwise. */
function settledConflicts(it: Case, record: UserRecord): ConflictWrite[] {
  const settled = it.known.filter((one) => {
    const { state, kind, field, theirs, terminal } = one;
    if (state !== 'open') return false;
    if (kind === 'two-people') return terminal === it.terminal && isOver(it, one);
    const [mine, other] = [record.fields.get(field ?? 0), theirs.record.fields.get(field ?? 0)];
    return mine !== undefined && other !== undefined && sameBytes(mine, other);
  });
  return settled.map((one) => resolved(one, { state: 'theirs', now: it.now }));
}

/**
 * Merges what a terminal holds of a user, and plans what follows at all terminals, in one transaction that also closes
 * the pull. Somebody else with the same id is kept apart as a conflict instead, and nothing is merged or spread.
 */
export async function mergePulled(
  site: Site,
  pull: Arrived,
  incoming: UserRecord,
  capabilities: Capabilities,
): Promise<Decided> {
  for (let race = 0; race < MOST_RACES; race += 1) {
    const it = await caseOf(site, pull, incoming);
    const decided = decide(it);
    const { merged, next } = decided;
    const ledger =
      merged === undefined || next === undefined
        ? pull.brought === undefined
          ? [heldApart(pull.user, pull.terminal, it.held?.version ?? 0)]
          : []
        : await follow(site, { pull, next, incoming, capabilities });
    const events = await site.store.saveUser({
      user: pull.user,
      from: it.held?.version ?? 0,
      next,
      ledger,
      ...(pull.brought === undefined
        ? { pull: { terminal: pull.terminal, log: pull.log } }
        : { sent: { ...pull.brought.sent(decided), terminal: pull.terminal } }),
      conflicts: decided.conflicts,
      events: merged === undefined || next === undefined ? [] : [mergedEvent(site, pull, next, merged)],
      time: site.now,
    } satisfies UserChange);
    if (events === undefined) continue;
    site.publish(events);
    site.wake();
    return decided;
  }
  throw new WhorlError('USER_CHANGED', `user ${pull.user} is being changed by others without a pause`);
}

/** All that is known about a terminal's record of a user. */
export async function caseOf(site: Site, pull: Arrived, record: UserRecord): Promise<Case> {
  const { user, terminal } = pull;
  // Asked together: the store's thread answers all of it at once.
  const [rows, held, known] = await Promise.all([
    site.store.ledgerOf([user]),
    site.store.user(user),
    site.store.conflictsOf(user),
  ]);
  const row = rows.find((one) => one.terminal === terminal);
  // Who had the number before, and may be there still, tells nothing of what the terminal got of this one.
  const sent = row?.delivered === 0 ? undefined : row?.delivered;
  const isRowless = row === undefined && held !== undefined && pull.log > 0;
  const delivered = isRowless ? await lastWrittenAt(site, terminal, held) : sent;
  const time = Math.min(pull.changed ?? site.now, site.now);
  return {
    user,
    terminal,
    held,
    incoming: {
      record,
      by: { origin: 'terminal', terminal, time, ...seen(pull, delivered), ...attribution(pull) },
      // Nothing there is old when somebody decided that it is right.
      delivered: pull.take === 'terminal' ? Number.MAX_SAFE_INTEGER : delivered,
    },
    known,
    settings: pull.take === 'terminal' ? { hold: site.settings.hold, merge: TERMINAL_WINS } : site.settings,
    now: site.now,
  };
}

interface Followed {
  readonly pull: Arrived;
  readonly next: StoredUser;
  readonly incoming: UserRecord;
  readonly capabilities: Capabilities;
}

async function follow(site: Site, followed: Followed): Promise<LedgerRow[]> {
  const { pull, next } = followed;
  const planned = await planFor(site, pull.user, next.record, next.version);
  const source = sourceRow(site, followed);
  return source === undefined
    ? planned
    : [...planned.filter((row) => row.terminal !== pull.terminal), source];
}

/** The ledger row of the terminal that a user was pulled from: right as it is, or to be brought in line. */
function sourceRow(site: Site, { pull, next, incoming, capabilities }: Followed): LedgerRow | undefined {
  const place = site.places.find((one) => one.terminal === pull.terminal);
  if (place === undefined || !inScope(site.settings.autoSync, groupsOf(next.record), place)) return undefined;
  const right = sameBytes(recordDigest(fitting(next.record, capabilities)), recordDigest(incoming));
  if (!right && !takesUpdates(site.settings.autoSync)) return undefined;
  const pending = pendingRow(
    { user: pull.user, version: next.version, now: site.now },
    pull.terminal,
    'present',
  );
  if (!right) return pending;
  return {
    user: pull.user,
    terminal: pull.terminal,
    want: 'present',
    state: 'verified',
    version: next.version,
    attempts: 0,
    checked: site.now,
  };
}

/** Which log record tells of it; or that none does, nobody asked and nobody sent it there: it was found there. */
function seen(
  { log, changed, take, brought }: Arrived,
  delivered: number | undefined,
): Pick<Provenance, 'log' | 'found'> {
  if (log > 0) return { log };
  const isAsked = changed !== undefined || take !== undefined || brought !== undefined;
  return isAsked || delivered !== undefined ? {} : { found: true };
}

function attribution({ brought }: Arrived): { readonly task?: number; readonly operator?: number } {
  return brought === undefined ? {} : { task: brought.task, operator: brought.operator };
}

/** The ledger row of a terminal where somebody else has the id: it keeps its own until an operator decides. */
export function heldApart(user: number, terminal: string, version: number): LedgerRow {
  return { user, terminal, want: 'present', state: 'withheld', version, reason: 'two-people', attempts: 0 };
}

function mergedEvent(site: Site, pull: Arrived, next: StoredUser, merged: Merged): NewEvent {
  const data = {
    version: next.version,
    filled: merged.filled.map(showField),
    replaced: merged.replaced.map(showField),
    kept: [...merged.conflicts, ...merged.stale].map(showField),
    ...attribution(pull),
  };
  return {
    type: 'user.merged',
    time: site.now,
    terminal: pull.terminal,
    user: pull.user,
    origin: 'terminal',
    data,
  };
}

/** For logs: what was decided. */
export function showMerged({ merged, reasons }: Decided): string {
  const shown = (fields: readonly number[]): string => fields.map(showField).join(', ');
  if (merged === undefined)
    return `kept apart: another person seems to have this id (${shown(reasons)}); see \`whorl conflicts list\``;
  const { filled, replaced, conflicts, stale } = merged;
  const kept = [...conflicts, ...stale];
  const parts = [
    ...(filled.length === 0 ? [] : [`filled ${shown(filled)}`]),
    ...(replaced.length === 0 ? [] : [`replaced ${shown(replaced)}`]),
    ...(filled.length + replaced.length === 0 ? ['nothing new'] : []),
    ...(kept.length === 0 ? [] : [`kept our ${shown(kept)}`]),
  ];
  return parts.join('; ');
}
