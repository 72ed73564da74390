import { FrameSplitter, sealedSession, unstuff } from '@whorl/protocol';
import { expect } from 'vitest';
import { ALL, atRest, behaviour, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import { settled } from '../rig/settled.ts';
import { SMALL_SITE } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';

async function quarantined(rig: Rig, name: string): Promise<void> {
  await rig.until(`${name} in quarantine`, async () => {
    const { terminals } = await rig.gateway.operations.status();
    return terminals.find((terminal) => terminal.name === name)?.state === 'quarantined';
  });
}

behaviour(
  'G3 a terminal that is not paired is seen and gets nothing; its code lets it in, and it gets everything',
  async (rig) => {
    const terminal = rig.terminal('terminal-2');
    terminal.setKey(undefined);
    terminal.reboot();
    await quarantined(rig, 'terminal-2');
    await rig.gateway.operations.addUser(7, { set: { name: 'Ada' }, clear: [] });
    await verifiedOn(
      rig,
      7,
      ALL.filter((name) => name !== 'terminal-2'),
    );
    expect(terminal.users().size).toBe(0);
    const code = terminal.pair();
    expect(
      await settled(rig, 'paired', rig.gateway.operations.pair('terminal-2', { code, replace: false })),
    ).toBe('WX-terminal-2');
    await verifiedOn(rig, 7, ALL);
    expect(terminal.pairing).toEqual({ kind: 'paired' });
    const types = (await rig.events()).map((event) => event.type);
    expect(types).toContain('terminal.quarantined');
    expect(types).toContain('terminal.paired');
    expect(JSON.stringify(await rig.events())).not.toContain(code);
  },
);

behaviour(
  'G3 without the code nobody is paired: both ends notice, and three guesses close the window',
  async (rig) => {
    const terminal = rig.terminal('terminal-2');
    const { operations } = rig.gateway;
    expect(
      await settled(rig, 'refused', operations.pair('terminal-2', { code: '000000', replace: false })),
    ).toBe('PAIRING_CLOSED');
    const code = terminal.pair();
    const wrong = code === '111111' ? '222222' : '111111';
    for (let guess = 0; guess < 3; guess += 1)
      expect(
        await settled(rig, 'refused', operations.pair('terminal-2', { code: wrong, replace: false })),
      ).toBe('PAIRING_CODE');
    expect(terminal.pairing).toEqual({ kind: 'failed' });
    expect(await settled(rig, 'refused', operations.pair('terminal-2', { code, replace: false }))).toBe(
      'PAIRING_CLOSED',
    );
    await atRest(rig);
  },
  { on: ['memory', 'tcp'] },
);

behaviour(
  'G3 a code is good for two minutes',
  async (rig) => {
    const terminal = rig.terminal('terminal-2');
    const code = terminal.pair();
    await rig.pass(121_000);
    expect(terminal.pairing).toEqual({ kind: 'closed' });
    const late = rig.gateway.operations.pair('terminal-2', { code, replace: false });
    expect(await settled(rig, 'refused', late)).toBe('PAIRING_CLOSED');
  },
  { on: ['memory'] },
);

behaviour(
  'G3 whose pairing was ended gets nothing more, and the others go on',
  async (rig) => {
    await settled(rig, 'unpaired', rig.gateway.operations.unpair('terminal-3'));
    await quarantined(rig, 'terminal-3');
    const { broadcasts } = rig.terminal('terminal-3').counters;
    await rig.gateway.operations.addUser(9, { set: { name: 'Grace' }, clear: [] });
    await verifiedOn(
      rig,
      9,
      ALL.filter((name) => name !== 'terminal-3'),
    );
    expect(rig.terminal('terminal-3').users().size).toBe(0);
    expect(rig.terminal('terminal-3').counters.broadcasts).toBe(broadcasts);
    if (rig.kind === 'memory')
      expect(rig.terminal('terminal-2').counters.broadcasts).toBeGreaterThan(broadcasts);
  },
  { on: ['memory', 'tcp'] },
);

behaviour(
  'G3 whoever replaces a terminal gets its name and users in one act, and the old one is let in no more',
  async (rig) => {
    const { operations, store } = rig.gateway;
    for (let user = 1; user <= 3; user += 1) rig.terminal('terminal-1').enrol({ user, fingers: 1 });
    for (let user = 1; user <= 3; user += 1) await verifiedOn(rig, user, ALL);
    const terminal = rig.terminal('terminal-4');
    // As if another one had hung there until now.
    const [mine] = [...(await store.pairings())].filter(([, { terminal: name }]) => name === 'terminal-4');
    const gone = { terminal: 'terminal-4', key: new Uint8Array(32).fill(9) };
    await settled(rig, 'unpaired', operations.unpair('terminal-4'));
    await store.savePairings(new Map([['WX-gone', gone]]), []);
    await rig.restartGateway();
    terminal.factoryReset();
    await quarantined(rig, 'terminal-4');
    const code = terminal.pair();
    const asked = operations.pair.bind(rig.gateway.operations);
    expect(await settled(rig, 'refused', asked('terminal-4', { code, replace: false }))).toBe(
      'PAIRING_TAKEN',
    );
    expect(await settled(rig, 'replaced', asked('terminal-4', { code, replace: true }))).toBe(mine?.[0]);
    expect((await store.pairings()).has('WX-gone')).toBe(false);
    await rig.until('all users there', () => terminal.power === 'on' && terminal.users().size === 3);
    await atRest(rig);
  },
  { destroys: 'all that a terminal holds', on: ['memory'] },
);

behaviour(
  'G3 a paired terminal is accepted under the name that it was paired under, and under no other',
  async (rig) => {
    const { store } = rig.gateway;
    const [one] = [...(await store.pairings())].filter(([, { terminal }]) => terminal === 'terminal-1');
    if (one === undefined) throw new Error('terminal-1 is not paired');
    await store.savePairings(new Map([[one[0], { ...one[1], terminal: 'terminal-2' }]]), []);
    await rig.restartGateway();
    await quarantined(rig, 'terminal-1');
    const { terminals } = await rig.gateway.operations.status();
    const reason = terminals.find(({ name }) => name === 'terminal-1')?.reason;
    expect(reason).toContain('is paired as terminal-2');
  },
  { on: ['memory'] },
);

behaviour(
  'G3 sessions are renewed when they are old, and nobody notices: no terminal goes away, no user is sent again',
  async (rig) => {
    rig.terminal('terminal-1').enrol({ user: 8, fingers: 1 });
    await verifiedOn(rig, 8, ALL);
    await atRest(rig);
    const before = await rig.events();
    const opened = (): number => ALL.reduce((sum, name) => sum + rig.terminal(name).counters.sessions, 0);
    const sessions = opened();
    await rig.pass(61_000);
    expect(opened()).toBe(sessions + ALL.length);
    rig.terminal('terminal-2').enrol({ user: 9, fingers: 1 });
    await verifiedOn(rig, 9, ALL);
    const since = (await rig.events()).slice(before.length).map((event) => event.type);
    expect(since).not.toContain('terminal.offline');
    await atRest(rig);
  },
  { on: ['memory'], plan: { ...SMALL_SITE, renewalMs: 60_000 } },
);

behaviour(
  'G3 B11 a terminal that was reset is paired anew, and is given all its users again',
  async (rig) => {
    for (let user = 1; user <= 5; user += 1) rig.terminal('terminal-1').enrol({ user, fingers: 1 });
    for (let user = 1; user <= 5; user += 1) await verifiedOn(rig, user, ALL);
    const terminal = rig.terminal('terminal-4');
    terminal.factoryReset();
    await quarantined(rig, 'terminal-4');
    await settled(
      rig,
      'paired',
      rig.gateway.operations.pair('terminal-4', { code: terminal.pair(), replace: false }),
    );
    await rig.until('all users there again', () => terminal.power === 'on' && terminal.users().size === 5);
    await atRest(rig);
    for (let user = 1; user <= 5; user += 1) expect(digestsOf(rig, user).size).toBe(1);
  },
  { destroys: 'all that a terminal holds', on: ['memory', 'tcp'] },
);

behaviour(
  'G7 whoever clips on to the line hears neither name nor template, and what they play again changes nothing',
  async (rig) => {
    const crossed: Uint8Array[] = [];
    const frames: Uint8Array[] = [];
    const splitter = new FrameSplitter();
    rig.media.get('floor')?.tap((bytes, fromGateway) => {
      crossed.push(bytes.slice());
      if (fromGateway) splitter.push(bytes, (stuffed) => frames.push(stuffed));
    });
    const user = 77;
    rig.terminal('terminal-1').enrol({ user, name: 'Augusta Ada King', fingers: 3 });
    await verifiedOn(rig, user, ALL);
    const heard = Buffer.concat(crossed);
    expect(heard.includes('Augusta')).toBe(false);
    const held = rig.terminal('terminal-2').record(user);
    for (const value of held?.fields.values() ?? [])
      for (let at = 0; at + 8 <= value.length; at += 8)
        expect(heard.includes(Buffer.from(value.subarray(at, at + 8)))).toBe(false);
    const terminal = rig.terminal('terminal-2');
    const before = [terminal.tableDigest, terminal.logs().length, terminal.boots];
    terminal.remove(user);
    terminal.load(held === undefined ? [] : [held]);
    const answered = frames.flatMap((stuffed) => terminal.hear(stuffed)).length;
    expect([terminal.tableDigest, terminal.logs().length - 1, terminal.boots]).toEqual(before);
    expect(frames.length).toBeGreaterThan(answered);
    await atRest(rig);
  },
  { on: ['memory'] },
);

behaviour(
  'G7 the pairing key, stolen later, does not open what was recorded before',
  async (rig) => {
    const stolen = [...(await rig.gateway.store.pairings()).values()].map(({ key }) => key);
    expect(stolen).toHaveLength(ALL.length);
    const frames: Uint8Array[] = [];
    const splitter = new FrameSplitter();
    rig.media.get('floor')?.tap((bytes) => splitter.push(bytes, (stuffed) => frames.push(stuffed)));
    rig.terminal('terminal-1').enrol({ user: 5, fingers: 1 });
    await verifiedOn(rig, 5, ALL);
    let opened = 0;
    for (const key of stolen) {
      for (const end of ['gateway', 'terminal'] as const) {
        const session = sealedSession(end, { forth: key, back: key, hash: key });
        for (const stuffed of frames) if (opens(() => session.open(unstuff(stuffed)))) opened += 1;
      }
    }
    expect(frames.length).toBeGreaterThan(8);
    expect(opened).toBe(0);
  },
  { on: ['memory'] },
);

function opens(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
