import { expect } from 'vitest';
import { ALL, atRest, behaviour, everywhere, sameOn, verifiedOn } from '../rig/behaviour.ts';

everywhere(
  'B2 B10 G1 a finger enrolled at one terminal is verified on all others',
  async (site) => {
    const user = site.someone();
    const [here = ''] = site.able('people');
    await site.hands(here).enrol(user, 2);
    await sameOn(site, user, site.names);
    const merged = (await site.events()).filter(
      (event) => event.type === 'user.merged' && event.user === user,
    );
    expect(merged).toMatchObject([{ terminal: here }]);
  },
  { needs: ['people'] },
);

behaviour('B2 many logs of one user while the line is busy coalesce into one pull', async (rig) => {
  const terminal = rig.terminal('terminal-3');
  for (let finger = 0; finger < 10; finger += 1) terminal.enrol({ user: 1042, finger });
  await verifiedOn(rig, 1042, ALL);
  await atRest(rig);
  const merged = (await rig.events()).filter((event) => event.type === 'user.merged');
  expect(merged.length).toBeLessThanOrEqual(2);
  expect((await rig.gateway.store.user(1042))?.record.fields.size).toBe(10);
});

behaviour(
  'B3 fill-vacant takes new credentials and never overwrites, clears or loses access groups',
  async (rig) => {
    await rig.gateway.operations.addUser(7, { set: { name: 'Grace', groups: [1, 2] }, clear: [] });
    await verifiedOn(rig, 7, ALL);
    rig.terminal('terminal-2').edit({ user: 7, set: { name: 'Other' }, clear: ['groups'] });
    rig.terminal('terminal-2').enrol({ user: 7, finger: 4 });
    await rig.until(
      'the new finger at the gateway',
      async () => (await rig.gateway.store.user(7))?.record.fields.has(0x44) === true,
    );
    await verifiedOn(rig, 7, ALL);
    const user = rig.terminal('terminal-5').user(7);
    expect(user).toMatchObject({ name: 'Grace', groups: [1, 2] });
    expect(user?.['finger.4']).toBeDefined();
    expect(rig.terminal('terminal-2').user(7)).toMatchObject({ name: 'Grace', groups: [1, 2] });
  },
);

everywhere(
  'B5 a user deleted at a terminal stays elsewhere and is not sent back there',
  async (site) => {
    const { operations } = site.gateway;
    const user = site.someone();
    const [here = ''] = site.able('people');
    const others = site.names.filter((name) => name !== here);
    await site.hands(here).enrol(user, 0);
    await verifiedOn(site, user, site.names);
    await site.hands(here).remove(user);
    await verifiedOn(site, user, others);
    await operations.editUser(user, { set: { name: 'Newer' }, clear: [] });
    await verifiedOn(site, user, others);
    const gone = (await site.events()).filter(
      (event) => event.type === 'user.delete.succeeded' && event.user === user,
    );
    expect(gone).toMatchObject([{ terminal: here, origin: 'terminal' }]);
    await operations.push([user], [here]);
    await verifiedOn(site, user, site.names);
  },
  { needs: ['people'] },
);

behaviour('B5 with restoreDeleted the terminal gets the user again', async (rig) => {
  await rig.gateway.operations.changeSettings({ restoreDeleted: true });
  rig.terminal('terminal-1').enrol({ user: 5, fingers: 1 });
  await verifiedOn(rig, 5, ALL);
  rig.terminal('terminal-4').remove(5);
  await rig.until('the user gone from terminal-4 and back', async () =>
    (await rig.events()).some(
      (event) =>
        event.type === 'user.enrol.succeeded' &&
        event.terminal === 'terminal-4' &&
        event.origin === 'gateway' &&
        event.data.log > 3,
    ),
  );
  await verifiedOn(rig, 5, ALL);
});

behaviour('B6 B9 events name the origin, and what the gateway wrote is never pulled', async (rig) => {
  rig.terminal('terminal-3').enrol({ user: 8, fingers: 1 });
  await verifiedOn(rig, 8, ALL);
  await rig.gateway.operations.editUser(8, { set: { name: 'Hopper' }, clear: [] });
  await verifiedOn(rig, 8, ALL);
  await rig.until(
    'all echoes read',
    async () => (await rig.events()).filter((event) => event.type === 'user.update.succeeded').length === 6,
  );
  const events = await rig.events();
  const enrolled = events.filter((event) => event.type === 'user.enrol.succeeded');
  expect(enrolled.filter((event) => event.origin === 'terminal')).toHaveLength(1);
  expect(enrolled.filter((event) => event.origin === 'gateway')).toHaveLength(5);
  expect(events.filter((event) => event.type === 'user.merged')).toHaveLength(1);
  expect(await rig.gateway.store.openPulls(10)).toEqual([]);
});

everywhere(
  'B6 a failed enrolment is told with its origin',
  async (site) => {
    const user = site.someone();
    const [here = ''] = site.able('people');
    await site.hands(here).giveUp(user);
    await site.until('the event', async () =>
      (await site.events()).some(
        (event) => event.type === 'user.enrol.failed' && event.user === user && event.origin === 'terminal',
      ),
    );
  },
  { needs: ['people'], terminals: 1 },
);

behaviour('how many users a terminal holds is told as they come and go', async (rig) => {
  const holding = async (): Promise<readonly (number | undefined)[]> =>
    (await rig.gateway.operations.status()).terminals.map(({ users }) => users);
  const until = (what: string, counts: readonly number[]): Promise<void> =>
    rig.until(what, async () => (await holding()).join() === counts.join());
  const terminal = rig.terminal('terminal-1');
  for (const user of [1, 2, 3]) terminal.enrol({ user, finger: 0 });
  await until('all three everywhere', [3, 3, 3, 3, 3, 3]);
  await rig.gateway.operations.deleteUser(2);
  await until('two everywhere', [2, 2, 2, 2, 2, 2]);
  terminal.remove(3);
  await until('one less where it was deleted', [1, 2, 2, 2, 2, 2]);
});
