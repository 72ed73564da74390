import { encodeUser, readRecord } from '@whorl/protocol';
import type { CompareOptions, CompareReport } from '@whorl/gateway';
import { expect } from 'vitest';
import { ALL, atRest, behaviour, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import { SMALL_SITE } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';

async function compared(rig: Rig, terminal: string, options: CompareOptions = {}): Promise<CompareReport> {
  let report: CompareReport | undefined;
  let failure: unknown;
  void rig.gateway.operations.compare(terminal, options).then(
    (result) => {
      report = result;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  await rig.until('the comparison', () => report !== undefined || failure !== undefined);
  if (report === undefined) throw failure;
  return report;
}

const SEVERAL = 6;

/** What people did behind the gateway's back: a user gone, one changed, one that nobody knows. */
async function meddled(rig: Rig): Promise<void> {
  for (let user = 1; user <= SEVERAL; user += 1) rig.terminal('terminal-1').enrol({ user, fingers: 1 });
  for (let user = 1; user <= SEVERAL; user += 1) await verifiedOn(rig, user, ALL);
  const terminal = rig.terminal('terminal-2');
  terminal.load([
    readRecord(encodeUser({ id: 3, name: 'Somebody else' })),
    readRecord(encodeUser({ id: 77, name: 'Unknown' })),
  ]);
  await rig.gateway.operations.changeSettings({ autoSync: 'off' });
  terminal.remove(5);
  await atRest(rig);
}

behaviour(
  'B11 B12 a comparison by content finds who differs, is missing or is only there, and nothing where all is the same',
  async (rig) => {
    await meddled(rig);
    expect(await compared(rig, 'terminal-3')).toMatchObject({
      same: SEVERAL,
      different: [],
      missing: [],
      extra: [],
    });
    expect(await compared(rig, 'terminal-2')).toMatchObject({ different: [3], extra: [77] });
  },
  { on: ['memory', 'pty', 'tcp'] },
);

behaviour(
  'B11 repair brings in line what differs, and only that',
  async (rig) => {
    await meddled(rig);
    const bytes = (): number => rig.media.get('floor')?.counters.bytesToTerminals ?? 0;
    const before = bytes();
    const report = await compared(rig, 'terminal-2', { take: 'both' });
    expect(report).toMatchObject({ different: [3], pulled: 0 });
    await rig.until('user 3 as it should be', () => digestsOf(rig, 3).size === 1);
    expect(bytes() - before).toBeLessThan(4_000);
  },
  { on: ['memory'] },
);

/** Ten users; at terminal-2 one has another name and a finger more, one is gone, one is new. All unlogged. */
async function unequal(rig: Rig): Promise<void> {
  for (let user = 1; user <= 10; user += 1)
    rig.terminal('terminal-1').enrol({ user, name: `User ${user}`, finger: 0 });
  for (let user = 1; user <= 10; user += 1) await verifiedOn(rig, user, ALL);
  const terminal = rig.terminal('terminal-2');
  const three = terminal.record(3);
  const other = readRecord(encodeUser({ id: 3, name: 'Number three' }));
  terminal.load([
    { id: 3, fields: new Map([...(three?.fields ?? []), ...other.fields]) },
    readRecord(encodeUser({ id: 77, name: 'Unknown' })),
  ]);
  terminal.unload([5]);
  await atRest(rig);
}

behaviour(
  'B12 the view names the fields that differ, and is blind to what the terminal cannot hold',
  async (rig) => {
    await unequal(rig);
    const report = await compared(rig, 'terminal-2', { fieldsOf: 10 });
    expect(report).toMatchObject({ same: 8, different: [3], missing: [5], extra: [77] });
    expect(report.fields).toEqual([{ user: 3, field: 'name', is: 'different' }]);
    const blind = await compared(rig, 'terminal-6');
    expect(blind).toMatchObject({ same: 10, different: [], missing: [], extra: [] });
  },
  {
    plan: { lines: { ...SMALL_SITE.lines, gate: [{ name: 'terminal-6', model: 'card-500' }] } },
    on: ['memory'],
  },
);

behaviour(
  'B12 B13 the gateway’s side is taken: a dry run first, then one user, then all',
  async (rig) => {
    await unequal(rig);
    const dry = await compared(rig, 'terminal-2', { take: 'gateway', dryRun: true });
    expect(dry.preview?.users).toEqual([
      { user: 3, terminal: 'terminal-2', effect: 'overwritten' },
      { user: 5, terminal: 'terminal-2', effect: 'added' },
      { user: 77, terminal: 'terminal-2', effect: 'removed' },
    ]);
    await rig.pass(2_000);
    expect(rig.terminal('terminal-2').user(3)?.name).toBe('Number three');
    await compared(rig, 'terminal-2', { take: 'gateway', users: [3] });
    await rig.until('user 3 as it should be', () => rig.terminal('terminal-2').user(3)?.name === 'User 3');
    expect(rig.terminal('terminal-2').users().has(77)).toBe(true);
    await compared(rig, 'terminal-2', { take: 'gateway', confirm: dry.preview?.confirm });
    await rig.until(
      'user 77 gone and user 5 back',
      () => !rig.terminal('terminal-2').users().has(77) && rig.terminal('terminal-2').users().has(5),
    );
    await atRest(rig);
    expect(await compared(rig, 'terminal-2')).toMatchObject({
      same: 10,
      different: [],
      missing: [],
      extra: [],
    });
    expect(await rig.gateway.store.user(77)).toBeUndefined();
  },
  { on: ['memory', 'tcp'] },
);

behaviour(
  'B12 the terminal’s side is taken: its values go out, who is missing stays deleted there only',
  async (rig) => {
    await unequal(rig);
    await compared(rig, 'terminal-2', { take: 'terminal' });
    await verifiedOn(rig, 3, ALL);
    await verifiedOn(rig, 77, ALL);
    expect(rig.terminal('terminal-5').user(3)?.name).toBe('Number three');
    expect(rig.terminal('terminal-5').user(3)?.['finger.0']).toBeDefined();
    await verifiedOn(
      rig,
      5,
      ALL.filter((name) => name !== 'terminal-2'),
    );
    for (const user of [1, 3, 77]) expect(digestsOf(rig, user).size).toBe(1);
    expect(await compared(rig, 'terminal-2')).toMatchObject({ different: [], missing: [], extra: [] });
  },
  { on: ['memory'] },
);

behaviour(
  'B12 B13 taking the gateway’s side where it removes many has to be confirmed',
  async (rig) => {
    await unequal(rig);
    rig
      .terminal('terminal-2')
      .load(Array.from({ length: 20 }, (_, index) => readRecord(encodeUser({ id: 200 + index, name: 'X' }))));
    await expect(compared(rig, 'terminal-2', { take: 'gateway' })).rejects.toMatchObject({
      code: 'GUARD_EXCEEDED',
    });
    const { preview } = await compared(rig, 'terminal-2', { take: 'gateway', dryRun: true });
    expect(preview).toMatchObject({ guarded: true });
    await compared(rig, 'terminal-2', { take: 'gateway', confirm: preview?.confirm });
    await rig.until('ten users left', () => rig.terminal('terminal-2').users().size === 10);
  },
  { on: ['memory'] },
);
