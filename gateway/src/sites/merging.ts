import { readRecord, recordOf, showField } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import { MERGE_KEYS } from '../settings/runtime.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Conflict, ConflictWrite, Provenance, StoredUser } from '../store/store.ts';
import type { Tombstone } from '../store/tombstones.ts';
import type { Merged } from '../sync/merge.ts';
import { decide } from '../sync/pulled.ts';
import type { Case } from '../sync/pulled.ts';
import { resolved } from '../sync/resolutions.ts';
import { groupsOf } from '../sync/scope.ts';
import { siteOf } from '../sync/site-names.ts';
import { haveInCommon } from '../sync/two-people.ts';
import { belongs } from './belonging.ts';
import { attribution, heard, itself } from './names.ts';
import type { Offer, Outcome } from './requests.ts';

// What becomes at the master of what a satellite offers: pure.

export interface Offering {
  /** Name of the satellite. */
  readonly site: string;
  /** Of the master. */
  readonly master: string;
  readonly row: Offer;
  /** By index. */
  readonly blobs: readonly Uint8Array[];
  readonly held: StoredUser | undefined;
  readonly known: readonly Conflict[];
  readonly settings: Pick<RuntimeSettings, 'hold' | 'merge'>;
  /** Access groups that reach the satellite; all of them when absent. */
  readonly reach?: readonly number[] | undefined;
  /** Whether the master has given it this user, or has it from there. */
  readonly shared: boolean;
  /** Milliseconds UTC. */
  readonly now: number;
}

export interface MergedOffer {
  readonly outcome: Outcome;
  readonly next: StoredUser | undefined;
  readonly conflicts: readonly ConflictWrite[];
  readonly events: readonly NewEvent[];
}

/**
 * Merges what a satellite offers of a user as if its terminals were the master's own: the same policies, the same
 * conflicts, the same caution about two people. A user whom the master has deleted since is not made anew of a few fields.
 * @throws WhorlError SITES_MESSAGE, MESSAGE_*, USER_ORDER for bytes that are no record
 */
export function mergeOffer(offering: Offering): MergedOffer {
  const { row, site, now } = offering;
  if (row.base > 0 && offering.held === undefined) return { outcome: 'gone', ...nothing(undefined) };
  const parts = row.parts.map((part) => partOf(offering, part));
  const whole = wholeOf(row.user, site, parts);
  const asked = decide(caseOf(offering, whole, offering.held));
  if (asked.merged === undefined)
    return { outcome: 'apart', next: offering.held, conflicts: asked.conflicts, events: [] };
  let held = offering.held;
  let partly = false;
  const conflicts = noLongerApart(offering, whole);
  const events: NewEvent[] = [];
  // Whether it is one person was asked of all parts together: one alone may not show it.
  const settings = { merge: policiesFor(offering, parts), hold: false };
  const known = offering.known.filter(({ kind }) => kind !== 'two-people');
  for (const part of parts) {
    const { merged, next, conflicts: writes } = decide(caseOf({ ...offering, settings, known }, part, held));
    conflicts.push(...writes);
    if (merged === undefined || next === undefined) continue;
    const left = [...merged.conflicts, ...merged.stale];
    partly ||= left.length > 0;
    if (next !== held || left.length > 0)
      events.push(mergedEvent(row.user, now, { part, next, merged, left }));
    held = next;
  }
  return { outcome: partly ? 'partly' : 'taken', next: held, conflicts, events };
}

/**
 * Whoever was held apart of this site, and is there as somebody else by now. It offers what differs from the master's
 * user: only where it has another value for all that it had, nobody is left who would be forgotten.
 */
function noLongerApart({ known, site, now }: Offering, { record }: Part): ConflictWrite[] {
  return known
    .filter(
      ({ state, kind, terminal }) => state === 'open' && kind === 'two-people' && siteOf(terminal) === site,
    )
    .filter(({ theirs }) => [...theirs.record.fields.keys()].every((field) => record.fields.has(field)))
    .map((one) => resolved(one, { state: 'theirs', now }));
}

const NOTHING_TAKEN: RuntimeSettings['merge'] = Object.fromEntries(
  MERGE_KEYS.map((key) => [key, 'gateway-wins']),
);

/**
 * A satellite writes to those who are at its site. Of somebody else it can only say what an operator then decides, and it
 * gives nobody an access group that does not reach it: whoever has a satellite has not all doors.
 */
function policiesFor(
  { site, held, reach, shared, settings }: Offering,
  parts: readonly Part[],
): RuntimeSettings['merge'] {
  if (held !== undefined && !shared && !belongs({ name: site, groups: reach }, held)) return NOTHING_TAKEN;
  const gives = parts.flatMap(({ record }) => groupsOf(record));
  const beyond = reach !== undefined && gives.some((group) => !reach.includes(group));
  return beyond ? { ...settings.merge, groups: 'gateway-wins' } : settings.merge;
}

/**
 * Whether a user whom a satellite takes for new is somebody who was deleted here since: one who began anew finds them at
 * its terminals, and one who went back to a backup has them from there.
 * @param tombstone of the person who is offered
 * @param held who has the number by now
 */
export function isDeleted(
  { record, by }: Part,
  { how, sure, time }: Tombstone,
  held: StoredUser | undefined,
): boolean {
  if (held !== undefined && haveInCommon(held, { record, by, delivered: undefined })) return false;
  return sure && (how === 'erased' || isBefore(by, time));
}

/** Whether something was written before a deletion, or may have been. */
export function isBefore(by: Provenance, time: number): boolean {
  return by.found === true || by.time < time;
}

/** All that a satellite offers of a user, and who wrote the newest of it. @throws as {@link mergeOffer} */
export function offeredWhole(offering: Pick<Offering, 'site' | 'master' | 'row' | 'blobs' | 'now'>): Part {
  const { row, site } = offering;
  return wholeOf(
    row.user,
    site,
    row.parts.map((part) => partOf(offering, part)),
  );
}

/** What one terminal wrote. */
interface Part {
  readonly record: UserRecord;
  readonly by: Provenance & { readonly terminal: string };
}

function partOf(
  { site, master, row, blobs, now }: Pick<Offering, 'site' | 'master' | 'row' | 'blobs' | 'now'>,
  { by, blob }: Offer['parts'][number],
): Part {
  const record = readRecord(Uint8Array.from(blobs[blob] ?? new Uint8Array()));
  const writer = heard(master, by);
  return {
    record: { id: row.user, fields: record.fields },
    by: { ...writer, time: Math.min(by.time, now), terminal: writer.terminal ?? itself(site) },
  };
}

function wholeOf(user: number, site: string, parts: readonly Part[]): Part {
  const fields = new Map(parts.flatMap(({ record }) => [...record.fields]));
  const by = parts.at(-1)?.by ?? { origin: 'gateway', terminal: itself(site), time: 0 };
  return { record: recordOf(user, fields), by };
}

function caseOf(
  { row, known, settings, now, held: before }: Offering,
  part: Part,
  held: StoredUser | undefined,
): Case {
  // What was found at a terminal that nobody here had written to is nobody's change when the master had it once.
  const isFound = part.by.found === true;
  const isOwn = row.base === 0 && before !== undefined;
  const delivered = isFound ? 0 : isOwn ? undefined : row.base;
  return {
    ...{ user: row.user, terminal: part.by.terminal, held, known, settings, now },
    incoming: { ...part, delivered },
  };
}

function mergedEvent(
  user: number,
  time: number,
  it: {
    readonly part: Part;
    readonly next: StoredUser;
    readonly merged: Merged;
    readonly left: readonly number[];
  },
): NewEvent {
  return {
    ...{ type: 'user.merged', time, terminal: it.part.by.terminal, user, origin: 'terminal' },
    data: {
      version: it.next.version,
      filled: it.merged.filled.map(showField),
      replaced: it.merged.replaced.map(showField),
      kept: it.left.map(showField),
      ...attribution(it.part.by),
    },
  };
}

function nothing(next: StoredUser | undefined): Omit<MergedOffer, 'outcome'> {
  return { next, conflicts: [], events: [] };
}
