import { recordOf, sameBytes, WhorlError } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { LedgerRow, PullRequest, Store, StoredUser } from '../store/store.ts';
import type { Tombstone } from '../store/tombstones.ts';
import { pendingRow } from './plan.ts';
import { caseOf } from './pulled.ts';
import type { Case } from './pulled.ts';
import { groupsOf, inScope } from './scope.ts';
import type { Site } from './site.ts';
import { haveInCommon } from './two-people.ts';
import { MOST_RACES } from './users.ts';

/**
 * Looks whether a terminal holds somebody who was deleted here, and has them removed there again: because it went back
 * to an older state, or took the place of another one. Who was changed there after that by people is no such person,
 * nor is whom somebody asked for; who was erased always is.
 * @returns `undefined` when it is nobody who was deleted: then nothing was done
 * @throws WhorlError STORE_*
 */
export async function sendAway(
  site: Site,
  pull: PullRequest,
  record: UserRecord,
): Promise<Tombstone | undefined> {
  for (let race = 0; race < MOST_RACES; race += 1) {
    const it = await caseOf(site, pull, record);
    const tombstone = await site.store.tombstones.whose(record);
    if (tombstone === undefined || !(await isBack(site, it, { pull, tombstone }))) return undefined;
    const { user, terminal, log } = pull;
    const { how, by, time } = tombstone;
    const events = await site.store.saveUser({
      ...{ user, from: it.held?.version ?? 0, next: it.held, pull: { terminal, log }, time: site.now },
      ledger: [rightRow(site, it)],
      events: [{ type: 'user.returned', time: site.now, terminal, user, data: { how, by, at: time } }],
    });
    if (events === undefined) continue;
    site.publish(events);
    site.wake(terminal);
    return tombstone;
  }
  throw new WhorlError('USER_CHANGED', `user ${pull.user} is being changed by others without a pause`);
}

async function isBack(
  site: Site,
  { held, incoming }: Case,
  { pull, tombstone: { how, sure, time } }: { readonly pull: PullRequest; readonly tombstone: Tombstone },
): Promise<boolean> {
  const isAsked = pull.take !== undefined || (pull.changed !== undefined && pull.changed >= time);
  const always = how === 'erased' && sure;
  if (!always && isAsked) return false;
  // The number is somebody else's by now, even if nothing contradicts: of one of them there may be only a finger so far,
  // which the other's name would fill.
  if (held === undefined || !haveInCommon(held, incoming)) return true;
  return !isAsked && (await erasedIn(site.store, held, incoming.record)) !== undefined;
}

/** Of whom there is something in a record that was erased, and that the user of that number was not given anew. @throws WhorlError STORE_* */
export async function erasedIn(
  { tombstones }: Pick<Store, 'tombstones'>,
  held: StoredUser,
  { id, fields }: UserRecord,
): Promise<Tombstone | undefined> {
  const others = [...fields].filter(([field, value]) => {
    const ours = held.record.fields.get(field);
    return ours === undefined || !sameBytes(ours, value);
  });
  const tombstone = await tombstones.whose(recordOf(id, new Map(others)));
  return tombstone?.how === 'erased' && tombstone.sure ? tombstone : undefined;
}

/** Nobody, or who has the number now. */
function rightRow(site: Site, { user, terminal, held }: Case): LedgerRow {
  const { autoSync } = site.settings;
  const place = site.places.find((one) => one.terminal === terminal);
  const belongs =
    held !== undefined && place !== undefined && inScope(autoSync, groupsOf(held.record), place);
  const about = { user, version: held?.version ?? 0, now: site.now };
  const row = pendingRow(about, terminal, belongs ? 'present' : 'absent');
  if (autoSync !== 'off') return row;
  const { nextTry: _, ...rest } = row;
  return { ...rest, state: 'withheld' };
}
