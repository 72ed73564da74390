import { expect } from 'vitest';
import { ALL, allOnline, atRest, behaviour, everywhere, verifiedOn } from '../rig/behaviour.ts';

everywhere(
  'B1 off: nothing goes by itself, an explicit push does',
  async (site) => {
    const { operations, store } = site.gateway;
    const [ours, theirs] = [site.someone(), site.someone()];
    const [here = ''] = site.able('people');
    const there = site.names.find((name) => name !== here) ?? '';
    await operations.changeSettings({ autoSync: 'off' });
    await operations.addUser(ours, { set: { name: 'One' }, clear: [] });
    await site.hands(here).enrol(theirs, 0);
    await site.until('the enrolment told', async () =>
      (await site.events()).some((event) => event.user === theirs),
    );
    expect(await store.ledger({ user: ours, limit: 10 })).toEqual([]);
    expect(await store.user(theirs)).toBeUndefined();
    await operations.push([ours], [there]);
    await verifiedOn(site, ours, [there]);
    await site.hands(here).remove(theirs);
  },
  { needs: ['people'] },
);

everywhere(
  'B1 all: what people do at a terminal stays there',
  async (site) => {
    const { operations, store } = site.gateway;
    const [ours, theirs] = [site.someone(), site.someone()];
    const [here = ''] = site.able('people');
    await operations.changeSettings({ autoSync: 'all' });
    await site.hands(here).enrol(theirs, 0);
    await operations.addUser(ours, { set: { name: 'One' }, clear: [] });
    await verifiedOn(site, ours, site.names);
    await site.until('the enrolment told', async () =>
      (await site.events()).some((event) => event.user === theirs),
    );
    expect(await store.user(theirs)).toBeUndefined();
    expect(await store.ledger({ user: theirs, limit: 10 })).toEqual([]);
    await site.hands(here).remove(theirs);
  },
  { needs: ['people'] },
);

behaviour(
  'B1 access-groups: a user goes where a group reaches, and leaves where none does any more',
  async (rig) => {
    const { operations } = rig.gateway;
    await operations.changeSettings({ autoSync: 'access-groups' });
    await operations.addUser(1, { set: { name: 'One', groups: [1] }, clear: [] });
    await verifiedOn(rig, 1, ['terminal-1', 'terminal-2', 'terminal-5']);
    await operations.editUser(1, { set: { groups: [2, 3] }, clear: [] });
    await verifiedOn(rig, 1, ['terminal-2', 'terminal-3', 'terminal-6']);
    await rig.until(
      'the user gone from terminal-1 and terminal-5',
      () => !rig.terminal('terminal-1').users().has(1) && !rig.terminal('terminal-5').users().has(1),
    );
    rig.terminal('terminal-3').enrol({ user: 1, finger: 0 });
    await rig.until(
      'the finger at terminal-6',
      () => rig.terminal('terminal-6').user(1)?.['finger.0'] !== undefined,
    );
  },
);

behaviour(
  'B1 B16 what people did at terminals while it was not taken is fetched once it is, before anything is sent in its place',
  async (rig) => {
    const { operations, store } = rig.gateway;
    for (const [user, autoSync] of [
      [7, 'off'],
      [17, 'all'],
    ] as const) {
      await operations.changeSettings({ autoSync });
      rig.terminal('terminal-1').enrol({ user, finger: 0 });
      rig.terminal('terminal-2').enrol({ user: user + 1, name: 'Bob', finger: 1 });
      await rig.until('both told', async () => {
        const events = await store.events({ type: 'user.enrol.succeeded', limit: 100 });
        return [user, user + 1].every((one) => events.some((event) => event.user === one));
      });
      if (autoSync === 'off') await operations.addUser(user + 1, { set: { name: 'Ada' }, clear: [] });
      expect(await store.user(user)).toBeUndefined();
      expect((await operations.status()).openPulls).toBe(0);
      await operations.changeSettings({ autoSync: 'all-with-device-updates' });
      await verifiedOn(rig, user, ALL);
      await atRest(rig);
      expect(rig.terminal('terminal-2').user(user + 1)?.name).toBe('Bob');
    }
    expect(await operations.conflicts({ limit: 10 })).toMatchObject([{ user: 8, kind: 'two-people' }]);
  },
);

behaviour('B1 all: what people changed at a terminal holds back nothing that is sent there', async (rig) => {
  const { operations, store } = rig.gateway;
  await operations.addUser(7, { set: { name: 'Ada' }, clear: [] });
  await verifiedOn(rig, 7, ALL);
  await operations.changeSettings({ autoSync: 'all' });
  rig.terminal('terminal-1').edit({ user: 7, set: { name: 'Bob' } });
  await rig.until(
    'the edit told',
    async () => (await store.events({ type: 'user.update.succeeded', limit: 100 })).length > 0,
  );
  await operations.editUser(7, { set: { name: 'Grace' }, clear: [] });
  await rig.until('her name there', () => rig.terminal('terminal-1').user(7)?.name === 'Grace');
});

behaviour(
  'B16 access-groups: whose finger is enrolled anew is one person, without a name and though nothing is sent there; after a deletion it is another one',
  async (rig) => {
    const { operations, store } = rig.gateway;
    const there = rig.terminal('terminal-1');
    await operations.changeSettings({ autoSync: 'access-groups' });
    for (const user of [7, 8]) {
      there.enrol({ user, finger: 0 });
      await rig.until('the user known', async () => (await store.user(user)) !== undefined);
    }
    there.enrol({ user: 7, finger: 0 });
    await rig.until('the conflict', async () => (await store.countConflicts()) === 1);
    expect(await operations.conflicts({ limit: 10 })).toMatchObject([{ user: 7, kind: 'finger' }]);
    there.remove(8);
    there.enrol({ user: 8, finger: 0 });
    await rig.until('the other conflict', async () => (await store.countConflicts()) === 2);
    expect(await operations.conflicts({ user: 8, limit: 10 })).toMatchObject([{ kind: 'two-people' }]);
    await operations.editUser(7, { set: { groups: [1] }, clear: [] });
    await verifiedOn(rig, 7, ['terminal-1', 'terminal-2', 'terminal-5']);
    await operations.editUser(7, { set: { groups: [] }, clear: [] });
    await rig.until('the user gone', () => !there.users().has(7));
    await atRest(rig);
    there.enrol({ user: 7, finger: 0 });
    await rig.until('the third conflict', async () =>
      (await operations.conflicts({ user: 7, limit: 10 })).some(({ kind }) => kind === 'two-people'),
    );
  },
);

behaviour(
  'B13 whoever was enrolled where no group of theirs reaches leaves that terminal as well when deleted, as the dry run says',
  async (rig) => {
    const { operations, store } = rig.gateway;
    const stranger = rig.terminal('terminal-4');
    await operations.changeSettings({ autoSync: 'access-groups' });
    stranger.enrol({ user: 7, finger: 0 });
    await rig.until('the user known', async () => (await store.user(7)) !== undefined);
    await operations.editUser(7, { set: { name: 'Seven', groups: [1] }, clear: [] });
    await verifiedOn(rig, 7, ['terminal-1', 'terminal-2', 'terminal-5']);
    expect(stranger.users().has(7)).toBe(true);
    const { users } = await operations.previewDeletion([7], { limit: 10 });
    expect(users.map(({ terminal, effect }) => `${terminal} ${effect}`).sort()).toEqual(
      ['terminal-1', 'terminal-2', 'terminal-4', 'terminal-5'].map((terminal) => `${terminal} removed`),
    );
    await operations.deleteUser(7);
    await rig.until('the user gone from where it was enrolled', () => !stranger.users().has(7));
  },
);

everywhere('B1 the setting changes while the gateway runs, and survives a restart', async (site) => {
  const user = site.someone();
  await site.gateway.operations.changeSettings({ autoSync: 'off' });
  await site.restartGateway();
  expect((await site.gateway.operations.settings()).autoSync).toBe('off');
  await site.gateway.operations.addUser(user, { set: { name: 'One' }, clear: [] });
  await allOnline(site);
  expect(await site.gateway.store.ledger({ user, limit: 10 })).toEqual([]);
  await site.gateway.operations.changeSettings({ autoSync: 'all' });
  await verifiedOn(site, user, site.names);
});

everywhere('B1 a user deleted at the gateway leaves every terminal', async (site) => {
  const { operations, store } = site.gateway;
  const user = site.someone();
  await operations.addUser(user, { set: { name: 'One' }, clear: [] });
  await verifiedOn(site, user, site.names);
  await operations.deleteUser(user);
  await site.until(
    'the user gone everywhere',
    async () => (await store.ledger({ user, limit: 10 })).length === 0,
  );
  await atRest(site);
});

behaviour('B1 a user deleted at the gateway is held by no terminal', async (rig) => {
  await rig.gateway.operations.addUser(1, { set: { name: 'One' }, clear: [] });
  await verifiedOn(rig, 1, ALL);
  await rig.gateway.operations.deleteUser(1);
  await rig.until('the user gone everywhere', () =>
    [...rig.terminals.values()].every((terminal) => !terminal.users().has(1)),
  );
  await atRest(rig);
  expect(await rig.gateway.store.ledger({ user: 1, limit: 10 })).toEqual([]);
});
