import { FIELDS } from '@whorl/protocol';
import { expect } from 'vitest';
import { ALL, allOnline, atRest, behaviour, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';

const NAME = FIELDS.name.number;

/** The name of a user at each terminal that has it. */
function namesOf(rig: Rig, user: number): Set<string | undefined> {
  return new Set(
    [...rig.terminals.values()].flatMap((terminal) => {
      const held = terminal.user(user);
      return held === undefined ? [] : [held.name];
    }),
  );
}

/** A name that the gateway does not take, seen at terminal-2. @returns the conflict's id */
async function otherName(rig: Rig): Promise<number> {
  await rig.gateway.operations.addUser(7, { set: { name: 'Grace' }, clear: [] });
  await verifiedOn(rig, 7, ALL);
  rig.terminal('terminal-2').edit({ user: 7, set: { name: 'Grace Hopper' } });
  await rig.until('the conflict', async () => (await rig.gateway.store.countConflicts()) === 1);
  await verifiedOn(rig, 7, ALL);
  const [conflict] = await rig.gateway.operations.conflicts({ user: 7, limit: 10 });
  expect(conflict).toMatchObject({ kind: 'name', field: NAME, terminal: 'terminal-2', state: 'open' });
  return conflict?.id ?? 0;
}

/** Somebody else enrolled under a number that was taken meanwhile, at terminal-5. @returns the conflict's id */
async function twoPeople(rig: Rig): Promise<number> {
  await rig.unplug('lab');
  rig.terminal('terminal-5').enrol({ user: 7, name: 'Bob', finger: 1 });
  rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', finger: 0 });
  await verifiedOn(
    rig,
    7,
    ALL.filter((name) => name !== 'terminal-5'),
  );
  await rig.plug('lab');
  await rig.until('the conflict', async () => (await rig.gateway.store.countConflicts()) === 1);
  await atRest(rig);
  expect(rig.terminal('terminal-5').user(7)?.name).toBe('Bob');
  const [conflict] = await rig.gateway.operations.conflicts({ kind: 'two-people', limit: 10 });
  return conflict?.id ?? 0;
}

behaviour('B4 the terminal’s value is accepted, goes out everywhere, and can be taken back', async (rig) => {
  const id = await otherName(rig);
  const { operations } = rig.gateway;
  expect(await operations.decideConflict(id, { take: 'theirs' })).toMatchObject({ state: 'theirs', made: 2 });
  await verifiedOn(rig, 7, ALL);
  expect(namesOf(rig, 7)).toEqual(new Set(['Grace Hopper']));
  expect((await rig.gateway.store.user(7))?.provenance.get(NAME)).toMatchObject({
    origin: 'gateway',
    terminal: 'terminal-2',
  });
  await operations.undoConflict(id);
  await rig.until('the old name everywhere', () => [...namesOf(rig, 7)].join() === 'Grace');
  await verifiedOn(rig, 7, ALL);
  expect(await operations.conflicts({ state: 'open', limit: 10 })).toHaveLength(1);
  const told = (await rig.events()).flatMap((event) =>
    event.type.startsWith('conflict.') ? [event.type] : [],
  );
  expect(told).toEqual(['conflict.opened', 'conflict.resolved', 'conflict.undone']);
});

behaviour(
  'B4 a decision made twice has the effect of once; another one needs the first taken back',
  async (rig) => {
    const id = await otherName(rig);
    const { operations } = rig.gateway;
    await operations.decideConflict(id, { take: 'theirs' });
    await operations.decideConflict(id, { take: 'theirs' });
    expect((await rig.gateway.store.user(7))?.version).toBe(2);
    await expect(operations.decideConflict(id, { take: 'ours' })).rejects.toMatchObject({
      code: 'CONFLICT_DECIDED',
    });
    await operations.undoConflict(id);
    await operations.undoConflict(id);
    expect((await rig.gateway.store.user(7))?.version).toBe(3);
    await operations.decideConflict(id, { take: 'ours' });
    expect((await rig.gateway.store.user(7))?.version).toBe(3);
    await expect(operations.decideConflict(99, { take: 'ours' })).rejects.toMatchObject({
      code: 'CONFLICT_UNKNOWN',
    });
  },
  { on: ['memory'] },
);

behaviour(
  'B4 a decision cannot be taken back once what it made was changed',
  async (rig) => {
    const id = await otherName(rig);
    const { operations } = rig.gateway;
    await operations.decideConflict(id, { take: 'theirs' });
    await operations.editUser(7, { set: { name: 'Admiral Hopper' }, clear: [] });
    await expect(operations.undoConflict(id)).rejects.toMatchObject({ code: 'CONFLICT_CHANGED' });
    await verifiedOn(rig, 7, ALL);
    expect(namesOf(rig, 7)).toEqual(new Set(['Admiral Hopper']));
  },
  { on: ['memory'] },
);

behaviour(
  'B4 all conflicts of a kind, or of a terminal, are decided together',
  async (rig) => {
    const { operations, store } = rig.gateway;
    const users = [11, 12, 13];
    for (const user of users)
      rig.terminal('terminal-1').enrol({ user, name: `Old ${user}`, finger: 0, groups: [1] });
    for (const user of users) await verifiedOn(rig, user, ALL);
    for (const user of users)
      rig.terminal('terminal-2').edit({ user, set: { name: `New ${user}`, groups: [1, 2] } });
    await rig.until('the conflicts', async () => (await store.countConflicts()) === 6);
    await atRest(rig);
    expect(await operations.decideConflicts({ kind: 'name' }, 'theirs')).toBe(3);
    expect(await operations.decideConflicts({ kind: 'name' }, 'theirs')).toBe(0);
    expect(await operations.decideConflicts({ terminal: 'terminal-2' }, 'ours')).toBe(3);
    await expect(operations.decideConflicts({ terminal: 'nowhere' }, 'ours')).rejects.toMatchObject({
      code: 'TERMINAL_UNKNOWN',
    });
    for (const user of users) {
      await verifiedOn(rig, user, ALL);
      expect(rig.terminal('terminal-4').user(user)).toMatchObject({ name: `New ${user}`, groups: [1] });
      expect(digestsOf(rig, user).size).toBe(1);
    }
  },
  { on: ['memory'] },
);

behaviour('B16 of two people under one id, the terminal’s becomes a user of their own', async (rig) => {
  const id = await twoPeople(rig);
  const { operations } = rig.gateway;
  const { newUser = 0 } = await operations.decideConflict(id, { take: 'new-id' });
  expect(newUser).toBe(8);
  await verifiedOn(rig, 7, ALL);
  await verifiedOn(rig, newUser, ALL);
  expect(namesOf(rig, 7)).toEqual(new Set(['Ada']));
  expect(namesOf(rig, newUser)).toEqual(new Set(['Bob']));
  expect([digestsOf(rig, 7).size, digestsOf(rig, newUser).size]).toEqual([1, 1]);
  expect(rig.terminal('terminal-5').user(newUser)?.['finger.1']).toBeDefined();
});

behaviour(
  'B16 a new id may be given, and must be free; the decision can be taken back',
  async (rig) => {
    const id = await twoPeople(rig);
    const { operations, store } = rig.gateway;
    await operations.addUser(50, { set: { name: 'Taken' }, clear: [] });
    await expect(operations.decideConflict(id, { take: 'new-id', user: 50 })).rejects.toMatchObject({
      code: 'USER_EXISTS',
    });
    await operations.decideConflict(id, { take: 'new-id', user: 60 });
    await verifiedOn(rig, 60, ALL);
    await operations.undoConflict(id);
    expect(await store.user(60)).toBeUndefined();
    await rig.until('the new user gone everywhere', () =>
      [...rig.terminals.values()].every((terminal) => !terminal.users().has(60)),
    );
    expect(await operations.conflicts({ state: 'open', limit: 10 })).toMatchObject([{ id }]);
    await operations.decideConflict(id, { take: 'theirs' });
    await verifiedOn(rig, 7, ALL);
    expect(namesOf(rig, 7)).toEqual(new Set(['Bob']));
  },
  { on: ['memory'] },
);

behaviour(
  'B16 of two people the gateway’s keeps the id, or the terminal’s gets it; until then the terminal keeps its own',
  async (rig) => {
    const id = await twoPeople(rig);
    const { operations, store } = rig.gateway;
    await operations.editUser(7, { set: { name: 'Ada King' }, clear: [] });
    await atRest(rig);
    expect(rig.terminal('terminal-5').user(7)?.name).toBe('Bob');
    await operations.decideConflict(id, { take: 'theirs' });
    await verifiedOn(rig, 7, ALL);
    expect(namesOf(rig, 7)).toEqual(new Set(['Bob']));
    expect([...((await store.user(7))?.record.fields.keys() ?? [])]).not.toContain(FIELDS['finger.0'].number);
    await operations.undoConflict(id);
    await rig.until('the gateway’s person back', async () => {
      const rows = await store.ledger({ user: 7, state: 'verified', limit: 10 });
      return rows.length === 5 && rows.every((row) => row.version === 4);
    });
    expect(rig.terminal('terminal-5').user(7)?.name).toBe('Bob');
    expect(rig.terminal('terminal-1').user(7)).toMatchObject({ name: 'Ada King' });
    await operations.decideConflict(id, { take: 'ours' });
    await verifiedOn(rig, 7, ALL);
    expect(namesOf(rig, 7)).toEqual(new Set(['Ada King']));
  },
  { on: ['memory'] },
);

behaviour(
  'B7 B16 of one person whom two terminals hold under a number that is somebody else’s here, what both have is kept when both are taken',
  async (rig) => {
    const { operations, store } = rig.gateway;
    await rig.unplug('gate');
    rig.terminal('terminal-6').enrol({ user: 7, name: 'Bob', finger: 2 });
    await rig.unplug('lab');
    rig.terminal('terminal-5').enrol({ user: 7, name: 'Bob', finger: 1 });
    rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', finger: 0 });
    await verifiedOn(
      rig,
      7,
      ALL.filter((name) => name !== 'terminal-5' && name !== 'terminal-6'),
    );
    await rig.plug('lab');
    await rig.plug('gate');
    await rig.until('both conflicts', async () => (await store.countConflicts()) === 2);
    await atRest(rig);
    expect(await operations.decideConflicts({ user: 7 }, 'theirs')).toBe(2);
    await verifiedOn(rig, 7, ALL);
    expect(namesOf(rig, 7)).toEqual(new Set(['Bob']));
    const held = [...((await store.user(7))?.record.fields.keys() ?? [])];
    expect(held).toEqual(expect.arrayContaining([FIELDS['finger.1'].number, FIELDS['finger.2'].number]));
    expect(held).not.toContain(FIELDS['finger.0'].number);
  },
  { on: ['memory'] },
);

behaviour(
  'B16 a decision survives a restart, and an undo before the terminal got it leaves it as it was',
  async (rig) => {
    const id = await twoPeople(rig);
    await rig.unplug('lab');
    await rig.gateway.operations.decideConflict(id, { take: 'ours' });
    await rig.restartGateway();
    expect(await rig.gateway.operations.conflicts({ limit: 10 })).toMatchObject([{ id, state: 'ours' }]);
    await rig.gateway.operations.undoConflict(id);
    await rig.plug('lab');
    await allOnline(rig);
    await atRest(rig);
    expect(rig.terminal('terminal-5').user(7)?.name).toBe('Bob');
    await rig.gateway.operations.decideConflict(id, { take: 'ours' });
    await verifiedOn(rig, 7, ALL);
    expect(namesOf(rig, 7)).toEqual(new Set(['Ada']));
  },
  { on: ['memory'] },
);

behaviour(
  'B16 what people put right at a terminal closes the conflict by itself',
  async (rig) => {
    const id = await twoPeople(rig);
    rig.terminal('terminal-5').edit({ user: 7, set: { name: 'Ada' } });
    await verifiedOn(rig, 7, ALL);
    expect(await rig.gateway.operations.conflicts({ limit: 10 })).toMatchObject([{ id, state: 'theirs' }]);
    expect(Object.keys(rig.terminal('terminal-1').user(7) ?? {})).toEqual(
      expect.arrayContaining(['finger.0', 'finger.1']),
    );
  },
  { on: ['memory'] },
);
