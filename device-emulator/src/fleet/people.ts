import { encodeField, FIELDS, recordOf, seededRandom } from '@whorl/protocol';
import type { CredentialKind, UserRecord } from '@whorl/protocol';
import type { Model } from '../firmware/model.ts';
import { readCard, readFace, readFinger } from '../firmware/readers.ts';
import type { FleetPeople } from './schema.ts';

/** Spreads ids over the seeds, so that neighbours have nothing in common. */
const PER_SEED = 2_000_003;

/** Users by ascending id, as a terminal of this model would have enrolled them; the same for the same seed and id. */
export function* makePeople(people: FleetPeople, model: Model): Generator<UserRecord> {
  for (let id = people.from; id < people.from + people.count; id += 1) yield person(id, people, model);
}

function person(id: number, people: FleetPeople, model: Model): UserRecord {
  const random = seededRandom(people.seed * PER_SEED + id);
  const fields: [number, Uint8Array][] = [[FIELDS.name.number, encodeField('name', `Person ${id}`)]];
  const give = (kind: CredentialKind, slots: number, read: () => Uint8Array): void => {
    for (let slot = 0; slot < slots; slot += 1) fields.push([FIELDS[`${kind}.0`].number + slot, read()]);
  };
  give('card', people.cards, () => encodeField('card.0', readCard(model, random)));
  give('finger', people.fingers, () => encodeField('finger.0', readFinger(model, random)));
  give('face', people.faces, () => encodeField('face.0', readFace(model, random)));
  return recordOf(id, fields);
}
