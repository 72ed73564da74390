import { expect } from 'vitest';
import { ALL, allOnline, atRest, behaviour, verifiedOn } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';

const MANY = 20;
const REACHED_BY_1 = ['terminal-1', 'terminal-2', 'terminal-5'];

/** So many users of group 1, everywhere; and one of group 3. */
async function crowd(rig: Rig): Promise<void> {
  const { operations } = rig.gateway;
  for (let id = 1; id <= MANY; id += 1)
    await operations.addUser(id, { set: { name: `User ${id}`, groups: [1] }, clear: [] });
  await operations.addUser(99, { set: { name: 'Ninety-nine', groups: [3] }, clear: [] });
  await rig.until('everybody everywhere', () =>
    [...rig.terminals.values()].every((terminal) => terminal.users().size === MANY + 1),
  );
  await atRest(rig);
}

const counts = (rig: Rig): Record<string, number> =>
  Object.fromEntries([...rig.terminals].map(([name, terminal]) => [name, terminal.users().size]));

behaviour(
  'B1 B13 a scope that removes many is refused until confirmed, does what the dry run said, and comes back when changed back',
  async (rig) => {
    await crowd(rig);
    const { operations } = rig.gateway;
    const before = counts(rig);
    const wanted = { autoSync: 'access-groups' } as const;
    const preview = await operations.previewSettings(wanted, { limit: 10 });
    expect(preview).toMatchObject({ guarded: true });
    expect(Object.fromEntries(preview.terminals.map((one) => [one.terminal, one.removed]))).toEqual({
      'terminal-1': 1,
      'terminal-2': 1,
      'terminal-3': MANY + 1,
      'terminal-4': MANY + 1,
      'terminal-5': 1,
      'terminal-6': MANY,
    });
    expect(preview.users.every((one) => one.effect === 'removed')).toBe(true);
    expect(preview.users.length).toBeGreaterThanOrEqual(10);
    const rest = await operations.previewSettings(wanted, { after: preview.next ?? 0, limit: 1000 });
    expect(preview.users.length + rest.users.length).toBe(3 * 1 + 2 * (MANY + 1) + MANY);

    await expect(operations.changeSettings(wanted)).rejects.toMatchObject({ code: 'GUARD_EXCEEDED' });
    await expect(operations.changeSettings(wanted, { confirm: 'something' })).rejects.toMatchObject({
      code: 'GUARD_CHANGED',
    });
    await rig.pass(500);
    expect(counts(rig)).toEqual(before);
    expect((await operations.settings()).autoSync).toBe('all-with-device-updates');

    await operations.changeSettings(wanted, { confirm: preview.confirm });
    await verifiedOn(rig, 1, REACHED_BY_1);
    await verifiedOn(rig, 99, ['terminal-6']);
    await rig.until('those gone who belong elsewhere', () =>
      Object.entries(counts(rig)).every(
        ([name, users]) => users === (REACHED_BY_1.includes(name) ? MANY : name === 'terminal-6' ? 1 : 0),
      ),
    );
    await rig.until('the change told', async () =>
      (await rig.events()).some(
        (event) => event.type === 'scope.applied' && event.data.terminals['terminal-3']?.removed === MANY + 1,
      ),
    );
    await rig.until('each removal told', async () => {
      const events = (await rig.events()).filter((event) => event.type === 'user.delete.succeeded');
      return (
        events.length === 3 * 1 + 2 * (MANY + 1) + MANY && events.every((event) => event.origin === 'gateway')
      );
    });

    const back = await operations.previewSettings({ autoSync: 'all' }, {});
    expect(back.guarded).toBe(false);
    expect(back.terminals.find((one) => one.terminal === 'terminal-3')).toMatchObject({
      added: MANY + 1,
      removed: 0,
    });
    await operations.changeSettings({ autoSync: 'all' });
    await rig.until('everybody everywhere again', () =>
      Object.values(counts(rig)).every((users) => users === MANY + 1),
    );
  },
  { on: ['memory', 'tcp'] },
);

behaviour(
  'B13 what was confirmed is what is done: somebody who came since makes the confirmation void',
  async (rig) => {
    await crowd(rig);
    const { operations } = rig.gateway;
    const wanted = { autoSync: 'access-groups' } as const;
    const { confirm } = await operations.previewSettings(wanted, {});
    await operations.addUser(50, { set: { name: 'Newcomer' }, clear: [] });
    await verifiedOn(rig, 50, ALL);
    await expect(operations.changeSettings(wanted, { confirm })).rejects.toMatchObject({
      code: 'GUARD_CHANGED',
    });
    const { confirm: other } = await operations.previewDeletion([1, 2, 3], {});
    await expect(operations.changeSettings(wanted, { confirm: other })).rejects.toMatchObject({
      code: 'GUARD_CHANGED',
    });
  },
  { on: ['memory'] },
);

behaviour(
  'B1 the groups that reach a terminal change at run time, with dry run and guard, and survive a restart',
  async (rig) => {
    await crowd(rig);
    const { operations } = rig.gateway;
    await operations.changeSettings({ guardPercent: 100 });
    await operations.changeSettings({ autoSync: 'access-groups' });
    await verifiedOn(rig, 1, REACHED_BY_1);
    await atRest(rig);
    const wanted = { scope: { 'terminal-6': [1, 3], 'terminal-5': [2] } };
    const preview = await operations.previewSettings(wanted, { limit: 0 });
    expect(preview.terminals).toEqual([
      { terminal: 'terminal-5', users: MANY, added: 0, overwritten: 0, removed: MANY, fetched: 0, left: 0 },
      { terminal: 'terminal-6', users: 1, added: MANY, overwritten: 0, removed: 0, fetched: 0, left: 0 },
    ]);
    await operations.changeSettings({ guardPercent: 10 });
    await expect(operations.changeSettings(wanted)).rejects.toMatchObject({ code: 'GUARD_EXCEEDED' });
    await expect(operations.changeSettings({ scope: { nowhere: [1] } })).rejects.toMatchObject({
      code: 'TERMINAL_UNKNOWN',
    });
    await operations.changeSettings(wanted, { confirm: preview.confirm });
    await rig.until(
      'the users moved',
      () => counts(rig)['terminal-5'] === 0 && counts(rig)['terminal-6'] === MANY + 1,
    );
    await rig.restartGateway();
    await allOnline(rig);
    await atRest(rig);
    const { terminals } = await rig.gateway.operations.status();
    expect(terminals.find((one) => one.name === 'terminal-6')?.groups).toEqual([1, 3]);
    expect(counts(rig)['terminal-6']).toBe(MANY + 1);
  },
  { on: ['memory'] },
);

behaviour(
  'B13 deleting many users is guarded; a handful is not; a policy removes nobody',
  async (rig) => {
    await crowd(rig);
    const { operations } = rig.gateway;
    expect((await operations.previewSettings({ merge: { name: 'terminal-wins' } }, {})).terminals).toEqual(
      [],
    );
    expect(await operations.deleteUsers([1, 2, 3, 777], {})).toBe(3);
    await atRest(rig);
    const victims = Array.from({ length: 10 }, (_, index) => index + 4);
    const preview = await operations.previewDeletion(victims, { limit: 1000 });
    expect(preview.users).toHaveLength(victims.length * ALL.length);
    await expect(operations.deleteUsers(victims, {})).rejects.toMatchObject({ code: 'GUARD_EXCEEDED' });
    expect(await operations.deleteUsers(victims, { confirm: preview.confirm })).toBe(10);
    await rig.until('they are gone everywhere', () =>
      Object.values(counts(rig)).every((users) => users === MANY + 1 - 13),
    );
  },
  { on: ['memory'] },
);

behaviour(
  'B1 who was deleted while nothing went out by itself is removed when it does again',
  async (rig) => {
    await crowd(rig);
    const { operations } = rig.gateway;
    await operations.changeSettings({ autoSync: 'off' });
    await operations.deleteUser(7);
    await rig.pass(2_000);
    expect(rig.terminal('terminal-2').users().has(7)).toBe(true);
    const preview = await operations.previewSettings({ autoSync: 'all' }, {});
    expect(preview.users).toEqual(ALL.map((terminal) => ({ user: 7, terminal, effect: 'removed' })));
    await operations.changeSettings({ autoSync: 'all' });
    await rig.until('user 7 gone everywhere', () =>
      [...rig.terminals.values()].every((terminal) => !terminal.users().has(7)),
    );
  },
  { on: ['memory'] },
);

behaviour(
  'B1 B13 a configuration that was edited is held back when it removes many, until somebody applies it',
  async (rig) => {
    await crowd(rig);
    await rig.gateway.operations.changeSettings({ guardPercent: 100 });
    await rig.gateway.operations.changeSettings({ autoSync: 'access-groups' });
    await verifiedOn(rig, 1, REACHED_BY_1);
    await rig.gateway.operations.changeSettings({ guardPercent: 10 });
    await atRest(rig);
    await rig.restartGateway({ groups: { 'terminal-2': [2] } });
    await allOnline(rig);
    await rig.until('the scope held back', async () =>
      (await rig.events()).some((event) => event.type === 'scope.held'),
    );
    await rig.pass(2_000);
    expect(counts(rig)['terminal-2']).toBe(MANY);
    await rig.restartGateway({ groups: { 'terminal-2': [2] } });
    await allOnline(rig);
    await rig.pass(2_000);
    expect((await rig.events()).filter((event) => event.type === 'scope.held')).toHaveLength(1);
    const { operations } = rig.gateway;
    await expect(operations.applyScope({})).rejects.toMatchObject({ code: 'GUARD_EXCEEDED' });
    await operations.applyScope({ confirm: (await operations.previewScope({})).confirm });
    await rig.until('terminal-2 emptied', () => counts(rig)['terminal-2'] === 0);
  },
  { on: ['memory'] },
);
