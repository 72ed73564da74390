import { FIELDS, recordOf } from '@whorl/protocol';
import { expect, test } from 'vitest';
import type { Conflict, Provenance, StoredUser } from '../store/store.ts';
import { decide } from './pulled.ts';
import type { Decided } from './pulled.ts';

const NAME = FIELDS.name.number;
const CARD = FIELDS['card.0'].number;
const FINGER = FIELDS['finger.0'].number;

type Fields = Readonly<Record<number, string>>;

const ADA: Fields = { [NAME]: 'Ada', [CARD]: 'a' };
const BO: Fields = { [NAME]: 'Bo', [CARD]: 'b' };

function record(fields: Fields): StoredUser['record'] {
  return recordOf(
    7,
    Object.entries(fields).map(([number, text]) => [Number(number), Buffer.from(text)]),
  );
}

/** What becomes of what a terminal has, or sends as a portable one does, at a gateway that holds somebody. */
function come(
  fields: Fields,
  it: { terminal?: string; sent?: boolean; held?: Fields; known?: readonly Conflict[] } = {},
): Decided {
  const { terminal = 'hand-1', sent = true, held = ADA, known = [] } = it;
  const by: Provenance = { origin: 'terminal', terminal, time: 1, ...(sent ? { task: 1, operator: 2 } : {}) };
  return decide({
    ...{ user: 7, terminal, known, now: 5 },
    held: { version: 1, record: record(held), provenance: new Map(), former: new Map() },
    incoming: { record: record(fields), by, delivered: undefined },
    settings: { hold: true, merge: {} },
  });
}

/** The conflict that stands after the first of a terminal. */
function opened(it: { terminal?: string; sent?: boolean } = {}): Conflict {
  const [write] = come(BO, it).conflicts;
  if (write === undefined) throw new Error('nobody is held apart');
  return { ...write.conflict, id: 1 };
}

test('B16 whom a portable terminal sent stays held apart when it then sends the gateway’s user, changed', () => {
  const later = come({ ...ADA, [FINGER]: 'f' }, { known: [opened()] });
  expect(later.next?.record.fields.has(FINGER), 'which is merged').toBe(true);
  expect(later.conflicts).toEqual([]);
  const online = come({ ...ADA, [FINGER]: 'f' }, { known: [opened()], sent: false });
  expect(online.conflicts, 'read from it, too').toEqual([]);
});

test('B16 a third person whom a portable terminal sends does not take the place of the second one', () => {
  const known = [opened()];
  const third = come({ [NAME]: 'Cy', [CARD]: 'c' }, { known }).conflicts;
  expect(third.map(({ id }) => id)).toEqual([undefined]);
  const corrected = come({ [NAME]: 'Bob', [CARD]: 'b' }, { known }).conflicts;
  expect(
    corrected.map(({ id }) => id),
    'as the second one does, corrected',
  ).toEqual([1]);
});

test('B16 whom a portable terminal sends again is held apart no more once the gateway has them', () => {
  const again = come({ ...BO, [FINGER]: 'f' }, { held: BO, known: [opened()] });
  expect(again.conflicts).toMatchObject([{ id: 1, conflict: { state: 'theirs' } }]);
});

test('B16 at a terminal on the wall nobody is held apart once it holds the gateway’s user; what others hold says nothing', () => {
  const known = [opened({ terminal: 'door-1', sent: false })];
  const here = come({ ...ADA, [FINGER]: 'f' }, { terminal: 'door-1', sent: false, known });
  expect(here.conflicts).toMatchObject([{ id: 1, conflict: { state: 'theirs' } }]);
  for (const sent of [true, false])
    expect(come({ ...ADA, [FINGER]: 'f' }, { terminal: 'door-2', sent, known }).conflicts).toEqual([]);
});
