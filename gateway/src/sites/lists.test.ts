import { digestOf } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { taskSchema } from '../settings/task.ts';
import type { TaskDefinition } from '../settings/task.ts';
import { TaskDesk } from '../tasks/desk.ts';
import type { TaskGround } from '../tasks/ground.ts';
import { Syncs } from '../tasks/syncs.ts';
import { ownedTasks } from './owned.ts';
import { named, World } from './testing/world.ts';
import type { Node } from './testing/world.ts';

function definition(about: Partial<TaskDefinition>): TaskDefinition {
  return taskSchema.parse({ name: 'Round', slice: { who: { by: 'groups', groups: [1] } }, ...about });
}

/** Where people define tasks at a gateway; it has no terminals of its own. */
function deskOf({ site, name }: Node, random: World['random']): TaskDesk {
  const ground: TaskGround = {
    ...{ site, name, random, baud: () => undefined, note: () => Promise.resolve() },
    driver: (terminal) => {
      throw new Error(`no terminal is called ${terminal}`);
    },
  };
  return new TaskDesk(ground, new Syncs(ground));
}

async function open(seed: number): Promise<{ world: World; desk: TaskDesk }> {
  const world = await World.open(seed);
  onTestFinished(() => world.close());
  const desk = deskOf(world.hq, world.random);
  for (const [id, name] of [
    [11, 'Ann'],
    [12, 'Ben'],
    [13, 'Cem'],
  ] as const)
    await desk.saveOperator(id, { name, pin: `${id}58` });
  return { world, desk };
}

test('S6 sync tasks come down to the sites whose terminals they name, with their operators and files, as they change', async () => {
  const { world, desk } = await open(1);
  const north = await world.add('north');
  const south = await world.add('south');
  for (const name of ['logo.png', 'south.wav'])
    await desk.saveFile({ name, kind: 'photo', bytes: world.random.bytes(5_000) });
  const both = await desk.addTask(
    definition({ terminals: ['north/hand-1', 'south/hand-1'], operators: [11], files: ['logo.png'] }),
  );
  const souths = await desk.addTask(
    definition({ name: 'South', terminals: ['south/hand-2'], operators: [12], files: ['south.wav'] }),
  );
  for (const site of [north, south]) expect(await site.sync()).toBeUndefined();
  const { tasks } = north.store;
  expect(await tasks.tasks()).toEqual([{ ...both, terminals: ['hand-1'] }]);
  expect((await tasks.operators()).map(({ name }) => name)).toEqual(['Ann']);
  expect(await tasks.operators()).toEqual([(await world.hq.store.tasks.operators())[0]]);
  expect((await tasks.files()).map(({ name }) => name)).toEqual(['logo.png']);
  expect((await south.store.tasks.tasks()).map(({ id }) => id)).toEqual([both.id, souths.id]);
  expect((await south.store.tasks.operators()).map(({ id }) => id)).toEqual([11, 12]);

  // A task that anybody may run needs everybody; one that is for others now goes.
  await desk.changeTask(both.id, { operators: [], name: 'Night round', files: [] });
  await desk.changeTask(souths.id, { terminals: ['north/hand-3'] });
  for (const site of [north, south]) expect(await site.sync()).toBeUndefined();
  expect((await tasks.tasks()).map(({ name, terminals }) => [name, terminals])).toEqual([
    ['Night round', ['hand-1']],
    ['South', ['hand-3']],
  ]);
  expect((await tasks.operators()).map(({ id }) => id)).toEqual([11, 12, 13]);
  expect((await tasks.files()).map(({ name }) => name)).toEqual(['south.wav']);
  expect((await south.store.tasks.tasks()).map(({ id }) => id)).toEqual([both.id]);
  expect(await south.store.tasks.files()).toEqual([]);
  const told = await south.store.events({ type: 'task.removed', limit: 10 });
  expect(told.map(({ data }) => data)).toEqual([{ task: souths.id, name: 'South' }]);

  // What is here already is not sent again.
  const before = world.bus.bytes;
  expect(await north.sync()).toBeUndefined();
  expect(world.bus.bytes - before).toBeLessThan(4_000);
  await world.during(desk.removeTask(both.id));
  for (const site of [north, south]) expect(await site.sync()).toBeUndefined();
  expect(await south.store.tasks.tasks()).toEqual([]);
  expect(await south.store.tasks.operators()).toEqual([]);
});

test('S6 S11 a large file over a bad link goes on where it was cut off, and holds up nobody meanwhile', async () => {
  const { world, desk } = await open(2);
  const north = await world.add('north');
  const bytes = world.random.bytes(2_000_000);
  await desk.saveFile({ name: 'film.bin', kind: 'photo', bytes });
  await desk.addTask(definition({ terminals: ['north/hand-1'], files: ['film.bin'] }));
  world.bus.weather = { lost: 0, doubled: 0, delayMs: 400 };
  expect(await north.sync()).toBeUndefined();
  // An exchange ends though not all of the file is here, and the next one goes on.
  expect(await north.store.tasks.files()).toEqual([]);
  world.bus.link(2, false);
  await world.pass(30_000);
  world.bus.link(2, true);
  await world.hq.edit(7, named('Somebody'));
  await world.pass(600_000);
  const [file] = await north.store.tasks.files();
  expect(file?.digest).toEqual(digestOf(bytes));
  expect(await north.store.tasks.tasks()).toHaveLength(1);
  expect(await north.contents()).toEqual(await world.hq.contents());
  expect(world.bus.bytes).toBeLessThan(1.5 * bytes.length);
});

test('S6 at a satellite tasks, operators and files are looked at, and changed at the master', async () => {
  const { world } = await open(3);
  const north = await world.add('north');
  const tasks = ownedTasks(deskOf(north, world.random), 'hq');
  const edits: readonly (() => Promise<unknown>)[] = [
    () => tasks.addTask(definition({})),
    () => tasks.changeTask(1, {}),
    () => tasks.removeTask(1),
    () => tasks.saveOperator(1, { name: 'Eve', pin: '2468' }),
    () => tasks.removeOperator(11),
    () => tasks.saveFile({ name: 'a', kind: 'photo', bytes: Uint8Array.of(1) }),
    () => tasks.removeFile('a'),
  ];
  for (const edit of edits) await expect(edit()).rejects.toMatchObject({ code: 'SITES_OWNED' });
  expect(await tasks.tasks()).toEqual([]);
});

test('S6 a task may name terminals of sites that the master knows, and no others', async () => {
  const { world, desk } = await open(4);
  await world.add('north');
  await desk.addTask(
    definition({ terminals: ['north/hand-1'], slice: { who: { by: 'site', site: 'north' }, without: [] } }),
  );
  await expect(desk.addTask(definition({ terminals: ['east/hand-1'] }))).rejects.toMatchObject({
    code: 'SITE_UNKNOWN',
  });
});
