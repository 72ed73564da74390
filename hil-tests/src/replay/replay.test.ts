import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logKeysTo, MODELS, recordTo } from '@whorl/device-emulator';
import type { Recording as Taping } from '@whorl/device-emulator';
import { codeOf, decodeRun, isCapture, KeyRing, readCapture, readKeys, textOf } from '@whorl/protocol';
import type { CapturedPacket, LoggedKeys } from '@whorl/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ALL, allOnline, verifiedOn } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import type { MemoryRig } from '../rig/memory.ts';
import { SMALL_SITE } from '../rig/rig.ts';
import { recordingOf } from './from-capture.ts';
import { recordingSchema } from './recording.ts';
import type { Recording } from './recording.ts';
import { judge } from './firmware.ts';
import { replay } from './replay.ts';

interface Captured {
  readonly captured: readonly CapturedPacket[];
  readonly keys: readonly LoggedKeys[];
  /** Pieces of what was enrolled. */
  readonly secrets: readonly string[];
}

/** Captures the line of a small site while something happens at it. */
async function captureOf(work: (rig: MemoryRig) => Promise<void>, seed?: number): Promise<Captured> {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-replay-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const [capture, keys] = [join(folder, 'site.pcapng'), join(folder, 'site.keys')];
  const fail = (reason: string): never => {
    throw new Error(reason);
  };
  let taping: Taping | undefined;
  const plan = seed === undefined ? SMALL_SITE : { ...SMALL_SITE, seed };
  const rig = await memoryRig(plan, {
    tellKeys: logKeysTo(keys, fail),
    tap: (clock) => {
      taping = recordTo(capture, clock, fail);
      return taping.line;
    },
  });
  await allOnline(rig);
  await work(rig);
  taping?.end();
  const secrets = [...rig.terminals.values()].flatMap((terminal) =>
    [...terminal.users().keys()].flatMap((user) =>
      [...(terminal.record(user)?.fields ?? [])]
        .filter(([, bytes]) => bytes.length > 100)
        .map(([, bytes]) => Buffer.from(bytes.subarray(20, 40)).toString('hex')),
    ),
  );
  await rig.close();
  const bytes = readFileSync(capture);
  expect(isCapture(bytes)).toBe(true);
  return { captured: [...readCapture(bytes)], keys: readKeys(readFileSync(keys, 'utf8')), secrets };
}

/** Somebody is enrolled, and brought to all. */
async function enrolled(rig: MemoryRig, user: number, at: string): Promise<void> {
  rig.terminal(at).enrol({ user, name: 'Grace', groups: [1], fingers: 2 });
  await verifiedOn(rig, user, ALL);
}

/** Records a small site while something happens at it. */
async function taped(
  work: (rig: MemoryRig) => Promise<void>,
  seed?: number,
): Promise<{ readonly recording: Recording; readonly secrets: readonly string[] }> {
  const { captured, keys, secrets } = await captureOf(work, seed);
  const salt = new Uint8Array(32).fill(7);
  return { recording: recordingOf({ captured, keys: new KeyRing(keys), salt }), secrets };
}

test('E7 of a capture that cannot be played it is said why', async () => {
  const { captured, keys } = await captureOf((rig) => rig.pass(2_000));
  const ring = new KeyRing(keys);
  const welcomed = captured.findLastIndex(({ bytes }) => {
    const decoded = decodeRun(bytes, ring);
    return decoded.kind === 'opened' && decoded.message.name === 'welcome';
  });
  expect(welcomed).toBeGreaterThan(0);
  const why = (some: readonly CapturedPacket[], known: readonly LoggedKeys[]): string => {
    try {
      recordingOf({ captured: some, keys: new KeyRing(known), salt: new Uint8Array(32) });
    } catch (error) {
      if (codeOf(error) === 'REPLAY_EMPTY') return textOf(error);
      throw error;
    }
    return 'played';
  };
  const others = keys.map((one) =>
    one.kind === 'group'
      ? { ...one, key: new Uint8Array(32) }
      : { ...one, forth: new Uint8Array(32), back: new Uint8Array(32) },
  );
  const ethernet = captured.map((packet) => ({ ...packet, linkType: 1 }));
  expect(why(captured, keys)).toBe('played');
  expect(why(captured, [])).toMatch(/^\d+ packets are sealed, and no keys were given$/);
  expect(why(captured, others)).toMatch(/sealed, and none of the keys that were given opens one/);
  expect(why(captured.slice(welcomed + 1), keys)).toContain('its sessions began before it does');
  expect(why(captured.slice(0, 3), keys)).toBe('no session is opened in its 3 packets');
  expect(why(ethernet, keys)).toMatch(/^none of its \d+ packets is of a line of terminals$/);
  expect(why([], keys)).toBe('there are no packets in it');
});

test('E7 a recorded line is played to a gateway, which says the same; nothing in the file tells of anybody', async () => {
  const { recording, secrets } = await taped(async (rig) => {
    rig.terminal('terminal-1').enrol({ user: 1042, name: 'Augusta', groups: [1], fingers: 2 });
    await verifiedOn(rig, 1042, ALL);
    await enrolled(rig, 1043, 'terminal-2');
    rig.terminal('terminal-3').tap({ user: 1042 });
    await rig.pass(2_000);
  });
  const text = JSON.stringify(recording);
  expect(secrets.length).toBeGreaterThan(10);
  for (const secret of [...secrets, Buffer.from('Augusta').toString('hex'), 'Augusta'])
    expect(text).not.toContain(secret);
  const { same, deviations } = await replay(recording);
  expect(deviations).toEqual([]);
  expect(same).toBeGreaterThan(60);
});

const FAULTS = [
  ['terminal-2', 'garbled', { chance: 0.3 }],
  ['terminal-2', 'deaf', { chance: 0.3 }],
  ['terminal-2', 'mute', { chance: 0.3 }],
  ['floor', 'corrupt', { rate: 1e-4 }],
  ['terminal-2', 'pulled', {}],
] as const;

test.each(FAULTS)(
  'E7 a fault in the recording is played as well: at %s, %s',
  { timeout: 20_000 },
  async (on, fault, given) => {
    const { recording } = await taped(async (rig) => {
      await rig.faults.begin(rig.target(on), { fault, given, forMs: 8_000 });
      rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', groups: [1], fingers: 2 });
      await rig.pass(9_000);
      await verifiedOn(rig, 7, ALL);
      await enrolled(rig, 8, 'terminal-2');
      await rig.pass(2_000);
    });
    const fates = recording.said.filter((one) => one.fate !== undefined).length;
    const spans = recording.seats.flatMap(({ silent }) => silent).length;
    expect(fates + spans).toBeGreaterThan(0);
    const { same, deviations } = await replay(recording);
    expect(deviations).toEqual([]);
    expect(same).toBeGreaterThan(60);
  },
);

test('E7 answers that were late in the recording are so late again, and the gateway waits as it did', async () => {
  const { recording } = await taped(async (rig) => {
    const late = { fault: 'late', given: { by: 40, chance: 0.3 }, forMs: 3_000 };
    await rig.faults.begin(rig.target('terminal-2'), late);
    rig.terminal('terminal-2').enrol({ user: 7, name: 'Ada', groups: [1], fingers: 2 });
    await rig.pass(4_000);
    await verifiedOn(rig, 7, ALL);
    await enrolled(rig, 8, 'terminal-1');
    await rig.pass(2_000);
  });
  const lates = recording.said.flatMap(({ fate }) => fate?.lateMs ?? []);
  expect(lates.length).toBeGreaterThan(1);
  for (const ms of lates) expect(ms).toBeCloseTo(41, 0);
  const { same, deviations } = await replay(recording);
  expect(deviations).toEqual([]);
  expect(same).toBeGreaterThan(60);
  // They are played, and not only left alone: so late that the gateway gives up, all comes otherwise.
  const later = recording.said.map((one) =>
    one.fate?.lateMs === undefined ? one : { ...one, fate: { ...one.fate, lateMs: 3_000 } },
  );
  expect((await replay({ ...recording, said: later })).deviations.length).toBeGreaterThan(0);
});

test('E7 what the gateway says otherwise is told: at which packet, what was expected and what came', async () => {
  const { recording } = await taped(async (rig) => {
    rig.terminal('terminal-1').enrol({ user: 7, fingers: 1 });
    await verifiedOn(rig, 7, ALL);
    rig.terminal('terminal-1').enrol({ user: 8, fingers: 1 });
    await verifiedOn(rig, 8, ALL);
  });
  const pull = recording.said.find(({ what }) => what === 'user.pull 8');
  if (pull === undefined) throw new Error('nobody was fetched');
  const other = recording.said.map((one) => (one === pull ? { ...one, what: 'user.pull 9' } : one));
  const { deviations } = await replay({ ...recording, said: other });
  expect(deviations).toMatchObject([
    {
      packet: pull.packet,
      line: 'floor',
      address: 1,
      from: 'gateway',
      expected: 'user.pull 9',
      got: 'user.pull 8',
    },
  ]);
});

test('E7 what operators did at the gateway is done again, and a terminal that starts anew does so', async () => {
  const { recording } = await taped(async (rig) => {
    const { operations } = rig.gateway;
    await operations.addUser(5, { set: { name: 'Bea', groups: [1] }, clear: [] });
    await verifiedOn(rig, 5, ALL);
    rig.terminal('terminal-5').reboot();
    await rig.pass(5_000);
    await operations.deleteUser(5);
    await verifiedOn(rig, 5, []);
    await rig.pass(2_000);
  });
  expect(recording.deeds.filter(({ address }) => address === 0)).toMatchObject([
    { put: [{ id: 5 }] },
    { dropped: [5] },
  ]);
  expect((await replay(recording)).deviations).toEqual([]);
});

test('E7 a recorded gateway is played to emulated terminals, which answer as the recorded ones did', async () => {
  const { recording, secrets } = await taped(async (rig) => {
    rig.terminal('terminal-1').enrol({ user: 1042, name: 'Augusta', groups: [1], fingers: 2 });
    await verifiedOn(rig, 1042, ALL);
    rig.terminal('terminal-1').edit({ user: 1042, set: { name: 'Augusta Ada' } });
    await rig.pass(5_000);
    await verifiedOn(rig, 1042, ALL);
    await rig.gateway.operations.deleteUser(1042);
    await rig.pass(5_000);
  });
  for (const secret of secrets) expect(JSON.stringify(recording)).not.toContain(secret);
  const kept = recordingSchema.parse(JSON.parse(JSON.stringify(recording)));
  const { same, unsaid, first } = await judge(kept);
  expect(first).toBeUndefined();
  expect(unsaid).toBe(0);
  expect(same).toBeGreaterThan(60);
});

test.each(FAULTS)(
  'E7 terminals answer late, damaged and not at all as in the recording: at %s, %s',
  async (on, fault, given) => {
    const { recording } = await taped(async (rig) => {
      await rig.faults.begin(rig.target(on), { fault, given, forMs: 8_000 });
      rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', groups: [1], fingers: 2 });
      await rig.pass(12_000);
    });
    const { same, first } = await judge(recording);
    expect(first).toBeUndefined();
    expect(same).toBeGreaterThan(60);
  },
);

describe('E7 half a minute of noise, people at all doors', () => {
  const noisy = (seed: number, rate = 1e-4): ReturnType<typeof taped> =>
    taped(async (rig) => {
      await rig.faults.begin(rig.target('floor'), { fault: 'corrupt', given: { rate }, forMs: 30_000 });
      rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', groups: [1], fingers: 2 });
      await rig.pass(9_000);
      rig.terminal('terminal-2').enrol({ user: 8, name: 'Bea', groups: [1], fingers: 2 });
      await rig.pass(3_000);
      rig.terminal('terminal-3').edit({ user: 7, set: { name: 'Augusta Ada' } });
      await rig.pass(3_000);
      await rig.gateway.operations.addUser(5, { set: { name: 'Cleo', groups: [1] }, clear: [] });
      await rig.pass(3_000);
      await rig.gateway.operations.deleteUser(8);
      await rig.pass(12_000);
    }, seed);

  // Between them they have whatever has made a difference of noise: answers told late, cut off, asked for again, and said twice.
  test.each([2, 6, 12, 22, 40, 100])(
    'never makes another firmware of the same one: seed %i',
    async (seed) => {
      const { recording } = await noisy(seed);
      expect(recording.asks.filter(({ fate }) => fate !== undefined).length).toBeGreaterThan(0);
      const { same, first } = await judge(recording);
      expect(first).toBeUndefined();
      expect(same).toBeGreaterThan(200);
    },
  );

  test('of twice as much tells no difference either: a damaged answer is no silence', async () => {
    const { recording } = await noisy(238, 2e-4);
    const { same, first } = await judge(recording);
    expect(first).toBeUndefined();
    expect(same).toBeGreaterThan(200);
  });

  test.each([16, 44])(
    'is played to a gateway, which asks again for what it did not get: seed %i',
    async (seed) => {
      const { recording } = await noisy(seed);
      // What no key opens was damaged: keys open what else is said there.
      expect(recording.unopened).toBe(0);
      const { same, deviations } = await replay(recording);
      expect(deviations).toEqual([]);
      expect(same).toBeGreaterThan(100);
    },
  );

  test('hides no firmware that is another one', async () => {
    const { recording } = await noisy(2);
    const model = { ...MODELS['finger-10k'], quirks: new Set(['no-sketch', 'no-broadcasts'] as const) };
    const { first } = await judge(recording, model);
    expect(first).toMatchObject({
      expected: ['group.taken'],
      got: ['refused', 'request 6', 'reason unknown-message'],
    });
  });
});

test('E7 somebody who never came through the noise as a whole was there all the same', async () => {
  const { recording } = await taped(async (rig) => {
    await rig.faults.begin(rig.target('floor'), { fault: 'corrupt', given: { rate: 3e-4 } });
    rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', groups: [1], fingers: 2 });
    await rig.pass(4_000);
  });
  expect(recording.answers.filter(({ lines }) => lines.includes('size 1569')).length).toBeGreaterThan(0);
  const { same, first } = await judge(recording);
  expect(first).toBeUndefined();
  expect(same).toBeGreaterThan(40);
});

test('E7 what a hasty gateway says while somebody else answers is heard as it was recorded', async () => {
  const { recording } = await taped((rig) => rig.pass(9_000));
  const calls = recording.asks.filter(({ line, address }) => line === 'floor' && address === 0);
  const present = recording.answers.find(({ address, lines }) => address === 2 && lines[0] === 'present');
  if (present === undefined) throw new Error('nobody was asked who it is');
  expect(calls.length).toBeGreaterThan(1);
  const DISCOVER = '04';
  const hasty = calls.map(({ atMs }, index) => ({
    ...{ packet: recording.packets + 1 + index, atMs: atMs + 0.6, line: 'floor', address: 2 },
    ...{ sequence: 30_000 + index, payload: DISCOVER },
  }));
  const answers = hasty.map(({ packet }) => ({ ...present, packet, to: packet }));
  const asks = [...recording.asks, ...hasty];
  const { same, first } = await judge({ ...recording, asks, answers: [...recording.answers, ...answers] });
  expect(first).toBeUndefined();
  expect(same).toBe(recording.answers.length + answers.length);
});

test('E7 a firmware that answers otherwise is told with the first answer that is not the recorded one', async () => {
  const { recording } = await taped(async (rig) => {
    rig.terminal('terminal-1').enrol({ user: 7, name: 'Ada', groups: [1], fingers: 2 });
    await verifiedOn(rig, 7, ALL);
  });
  const base = MODELS['finger-10k'];
  const { first } = await judge(recording, { ...base, quirks: new Set(['no-sketch', 'no-broadcasts']) });
  expect(first).toMatchObject({
    asked: ['group.set', 'key 32 bytes', 'next 0'],
    expected: ['group.taken'],
    got: ['refused', 'request 6', 'reason unknown-message'],
  });
});

test('E7 a recording that was kept is the same when it is read again', async () => {
  const { recording } = await taped(async (rig) => {
    rig.terminal('terminal-6').enrol({ user: 3, name: 'Cleo', fingers: 1 });
    await verifiedOn(rig, 3, ALL);
  });
  expect(recordingSchema.parse(JSON.parse(JSON.stringify(recording)))).toEqual(recording);
  const [old] = recordingSchema.safeParse({ ...recording, recording: 1 }).error?.issues ?? [];
  expect(old?.message).toMatch(/^another release kept it/);
});
