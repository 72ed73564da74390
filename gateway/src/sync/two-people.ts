import { credentialOf, FIELDS, sameBytes } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import { ageOf } from './merge.ts';
import type { Held, Incoming } from './merge.ts';

const NAME = FIELDS.name.number;

/**
 * Why the user at a terminal seems to be another person than the one whom the gateway holds under the same id: the
 * fields that contradict. None when nothing speaks against one person.
 *
 * A name contradicts when both have one and they differ in more than case and blanks; a credential when both hold its
 * slot with different values. Neither does when the terminal's value is what the gateway held before. One credential in
 * common, in whatever slot, and it is one person.
 *
 * Without one:
 * - a terminal that never got this user from the gateway contradicts by a different name, or by a credential while the
 *   names are not the same: somebody was enrolled there under a number that was free there;
 * - a terminal that did contradicts only by both: one of them alone is an edit.
 */
export function contradictions(held: Held, incoming: Incoming): readonly number[] {
  if (shareCredential(held, incoming)) return [];
  const differing = [...incoming.record.fields.keys()].filter((field) => contradicts(held, incoming, field));
  const name = differing.includes(NAME);
  const credential = differing.some((field) => field !== NAME);
  const two =
    incoming.delivered === undefined ? name || (credential && !sameName(held, incoming)) : name && credential;
  return two ? differing : [];
}

/** Whether something shows that they are one person: a credential, whatever its slot, or the name. */
export function haveInCommon(held: Held, incoming: Incoming): boolean {
  return shareCredential(held, incoming) || sameName(held, incoming);
}

function contradicts(held: Held, incoming: Incoming, field: number): boolean {
  const [ours, theirs] = [held.record.fields.get(field), incoming.record.fields.get(field)];
  if (ours === undefined || theirs === undefined || ageOf(held, incoming, field) !== 'new') return false;
  if (field === NAME) {
    const [a, b] = [folded(ours), folded(theirs)];
    return a !== '' && b !== '' && a !== b;
  }
  return credentialOf(field) !== undefined && !sameBytes(ours, theirs);
}

function sameName(held: Held, incoming: Incoming): boolean {
  const [ours, theirs] = [held.record.fields.get(NAME), incoming.record.fields.get(NAME)];
  if (ours === undefined || theirs === undefined || folded(theirs) === '') return false;
  return folded(ours) === folded(theirs) || ageOf(held, incoming, NAME) !== 'new';
}

function folded(name: Uint8Array): string {
  return Buffer.from(name).toString('utf8').normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

function shareCredential(held: Held, incoming: Incoming): boolean {
  const known = new Set(credentials(held.record));
  if (credentials(incoming.record).some((one) => known.has(one))) return true;
  return [...incoming.record.fields.keys()].some(
    (field) => credentialOf(field) !== undefined && ageOf(held, incoming, field) !== 'new',
  );
}

/** Kind and value of each credential; the same card in another slot is the same. */
function credentials({ fields }: UserRecord): string[] {
  return [...fields].flatMap(([number, value]) => {
    const credential = credentialOf(number);
    return credential === undefined ? [] : [`${credential.kind} ${Buffer.from(value).toString('base64')}`];
  });
}
