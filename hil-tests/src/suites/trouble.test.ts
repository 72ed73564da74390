import { expect } from 'vitest';
import {
  ALL,
  allOnline,
  atRest,
  behaviour,
  digestsOf,
  everywhere,
  sameOn,
  verifiedOn,
} from '../rig/behaviour.ts';
import { SMALL_SITE } from '../rig/rig.ts';

/** One line alone: its terminals are called each second of the minutes that pass. */
const A_SMALL_ONE_ALONE = {
  lines: {
    floor: [
      { name: 'terminal-1', groups: [1] },
      { name: 'terminal-5', groups: [1], capacity: 3 },
      { name: 'terminal-6', groups: [1] },
    ],
  },
};
const WITH_A_SMALL_ONE = {
  lines: { ...SMALL_SITE.lines, lab: [{ name: 'terminal-5', groups: [1], capacity: 3 }] },
};

everywhere(
  'G2 a pulled line is told with its reason, and taken up again with the work',
  async (site) => {
    const [there = ''] = site.able('cable');
    const line = site.lineOf(there);
    const user = site.someone();
    await site.unplug(line);
    await site.until('the line told as closed', async () =>
      (await site.events()).some(
        (event) => event.type === 'line.closed' && event.line === line && event.data.reason !== '',
      ),
    );
    await site.gateway.operations.addUser(user, { set: { name: 'Ada' }, clear: [] });
    await verifiedOn(
      site,
      user,
      site.names.filter((name) => site.lineOf(name) !== line),
    );
    await site.plug(line);
    await sameOn(site, user, site.names);
  },
  { needs: ['cable'] },
);

everywhere(
  'G2 a terminal that loses its power is told as offline, and catches up when it has power again',
  async (site) => {
    const [there = ''] = site.able('power');
    const user = site.someone();
    await site.hands(there).powerOff();
    await site.until(`${there} offline`, async () =>
      (await site.gateway.operations.status()).terminals.some(
        ({ name, state }) => name === there && state === 'offline',
      ),
    );
    await site.gateway.operations.addUser(user, { set: { name: 'Ada' }, clear: [] });
    await verifiedOn(
      site,
      user,
      site.names.filter((name) => name !== there),
    );
    await site.hands(there).powerOn();
    await sameOn(site, user, site.names);
  },
  { needs: ['power'] },
);

behaviour(
  'G2 a rebooting terminal is greeted again, and its push goes on',
  async (rig) => {
    rig.terminal('terminal-5').enrol({ user: 3, fingers: 10 });
    await rig.until(
      'the push under way',
      async () =>
        (await rig.gateway.store.ledger({ user: 3, terminal: 'terminal-1', limit: 1 }))[0]?.state ===
        'sending',
    );
    rig.terminal('terminal-1').reboot();
    await verifiedOn(rig, 3, ALL);
    expect(digestsOf(rig, 3).size).toBe(1);
  },
  { on: ['memory', 'pty'] },
);

behaviour(
  'G2 B10 a terminal without power holds nobody up and catches up',
  async (rig) => {
    rig.terminal('terminal-2').powerOff();
    await rig.until('terminal-2 offline', async () =>
      (await rig.gateway.operations.status()).terminals.some(
        (terminal) => terminal.name === 'terminal-2' && terminal.state === 'offline',
      ),
    );
    rig.terminal('terminal-3').enrol({ user: 4, fingers: 2 });
    await verifiedOn(
      rig,
      4,
      ALL.filter((name) => name !== 'terminal-2'),
    );
    const bytes = rig.media.get('lab')?.counters.bytesToTerminals ?? 0;
    rig.terminal('terminal-2').powerOn();
    await verifiedOn(rig, 4, ALL);
    const more = (rig.media.get('lab')?.counters.bytesToTerminals ?? 0) - bytes;
    expect(more).toBeLessThan(1500);
  },
  { on: ['memory'] },
);

behaviour(
  'B10 a full terminal fails with its reason, in bounded tries, and stops nobody else',
  async (rig) => {
    rig.terminal('terminal-1').enrol({ user: 1, fingers: 1 });
    rig.terminal('terminal-1').enrol({ user: 2, fingers: 1 });
    rig.terminal('terminal-1').enrol({ user: 3, fingers: 1 });
    for (const user of [1, 2, 3]) await verifiedOn(rig, user, ['terminal-1', 'terminal-5', 'terminal-6']);
    rig.terminal('terminal-1').enrol({ user: 4, fingers: 1 });
    await verifiedOn(rig, 4, ['terminal-1', 'terminal-6']);
    await rig.until(
      'the row failed',
      async () =>
        (await rig.gateway.store.ledger({ user: 4, terminal: 'terminal-5', limit: 1 }))[0]?.reason ===
        'capacity-full',
    );
    const before = rig.terminal('terminal-6').logs().length;
    await rig.pass(40 * 60_000);
    const [row] = await rig.gateway.store.ledger({ user: 4, terminal: 'terminal-5', limit: 1 });
    expect(row).toMatchObject({ state: 'failed', reason: 'capacity-full', attempts: 12 });
    expect(row?.nextTry).toBeUndefined();
    expect(rig.terminal('terminal-6').logs()).toHaveLength(before);
    rig.terminal('terminal-5').remove(1);
    await rig.gateway.operations.retry({ terminal: 'terminal-5' });
    await verifiedOn(rig, 4, ['terminal-1', 'terminal-5', 'terminal-6']);
  },
  { destroys: 'the last free place of a terminal', plan: A_SMALL_ONE_ALONE, on: ['memory'] },
);

behaviour(
  'B10 one failing terminal makes no other get anything again',
  async (rig) => {
    for (let user = 1; user <= 5; user += 1) rig.terminal('terminal-1').enrol({ user, fingers: 1 });
    await atRest(rig);
    await rig.pass(60_000);
    for (const name of ['terminal-2', 'terminal-6']) {
      expect(
        rig
          .terminal(name)
          .logs()
          .filter((log) => log.kind === 'user.enrolled'),
      ).toHaveLength(5);
    }
    expect(
      (await rig.gateway.store.ledger({ terminal: 'terminal-5', limit: 10 })).filter(
        (row) => row.state === 'failed',
      ),
    ).toHaveLength(2);
  },
  { destroys: 'the last free place of a terminal', plan: WITH_A_SMALL_ONE, on: ['memory'] },
);

behaviour(
  'G8 a minute of noise on the line is counted, and the terminals answer within a second of its end',
  async (rig) => {
    const noisy = rig.media.get('floor');
    noisy?.noise(60_000);
    await rig.pass(60_000);
    const during = (await rig.gateway.operations.status()).lines.find((line) => line.name === 'floor');
    expect(during?.counters.bytesDiscarded).toBeGreaterThan(100_000);
    await allOnlineWithin(rig, 1_000);
    rig.terminal('terminal-3').enrol({ user: 6, fingers: 1 });
    await verifiedOn(rig, 6, ALL);
  },
  { on: ['memory'] },
);

behaviour(
  'G8 one byte in a thousand damaged: everything arrives all the same',
  async (rig) => {
    rig.media.get('floor')?.setBitErrors(1 / 8000);
    for (let user = 1; user <= 10; user += 1) rig.terminal('terminal-3').enrol({ user, fingers: 4 });
    for (let user = 1; user <= 10; user += 1) await verifiedOn(rig, user, ALL, 600_000);
    for (let user = 1; user <= 10; user += 1) expect(digestsOf(rig, user).size).toBe(1);
  },
  { on: ['memory'] },
);

everywhere(
  'B2 B9 the gateway goes on from its store after a restart: nothing lost, nothing twice',
  async (site) => {
    const [here = ''] = site.able('people');
    const users = [site.someone(), site.someone(), site.someone()];
    for (const user of users) await site.hands(here).enrol(user, 0);
    await site.until('the first of them merged', async () =>
      (await site.events()).some((event) => event.type === 'user.merged'),
    );
    await site.restartGateway();
    await allOnline(site);
    for (const user of users) await verifiedOn(site, user, site.names);
    const events = await site.events();
    const sources = events.flatMap((event) => event.source ?? []);
    expect(new Set(sources).size).toBe(sources.length);
    const enrolled = events.filter(
      ({ type, origin }) => type === 'user.enrol.succeeded' && origin === 'terminal',
    );
    expect(enrolled.map(({ user }) => user).sort()).toEqual([...users].sort());
  },
  { needs: ['people'] },
);

async function allOnlineWithin(rig: Parameters<typeof allOnline>[0], withinMs: number): Promise<void> {
  await rig.until(
    'all terminals online',
    async () =>
      (await rig.gateway.operations.status()).terminals.every((terminal) => terminal.state === 'online'),
    { withinMs },
  );
}
