import { recordOf } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { mergePulled } from '../sync/pulled.ts';
import { heard, told } from './names.ts';
import { carded, entries, EVERYTHING, named, World } from './testing/world.ts';

test('who wrote a field is told with site, task and operator, and heard so', () => {
  const by = { origin: 'terminal', terminal: 'hand-1', time: 5, task: 3, operator: 7, log: 12 } as const;
  const { log: _, ...known } = by;
  expect(heard('hq', told('north', by))).toEqual({ ...known, terminal: 'north/hand-1' });
  expect(heard('north', told('hq', told('north', by)))).toEqual(known);
  expect(told('north', { origin: 'gateway', time: 5 })).toEqual({ origin: 'gateway', time: 5 });
});

test('S6 P9 what a portable terminal of a site brought keeps its task and operator at the master, in a conflict, too', async () => {
  const world = await World.open(41);
  onTestFinished(() => world.close());
  const north = await world.add('north');
  await world.hq.edit(1, { ...named('Ada'), ...carded(4) });
  expect(await north.sync()).toBeUndefined();
  const arrived = { user: 1, terminal: 'door-1', log: 1, changed: north.site.now };
  const sent = { serial: 'WX-1', epoch: 1, seq: 1, answer: { result: 'conflict', reason: '' } } as const;
  const record = recordOf(1, new Map(entries({ ...named('Ada'), ...carded(9) })));
  await mergePulled(
    north.site,
    { ...arrived, brought: { task: 3, operator: 7, sent: () => sent } },
    record,
    EVERYTHING,
  );
  expect(await north.sync()).toBeUndefined();
  const conflicts = await world.hq.store.conflictsOf(1);
  const writers = conflicts.flatMap(({ theirs }) => [...theirs.provenance.values()]);
  expect(writers).toMatchObject([{ terminal: 'north/door-1', task: 3, operator: 7 }]);
});
