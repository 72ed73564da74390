import { encodeUser, readRecord } from '@whorl/protocol';
import type { CompareReport } from '@whorl/gateway';
import { expect } from 'vitest';
import { ALL, atRest, behaviour, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';

async function compared(rig: Rig, terminal: string, repair = false): Promise<CompareReport> {
  let report: CompareReport | undefined;
  void rig.gateway.operations.compare(terminal, { repair }).then((result) => {
    report = result;
  });
  await rig.until('the comparison', () => report !== undefined);
  if (report === undefined) throw new Error('no report');
  return report;
}

/** What people did behind the gateway's back: a user gone, one changed, one that nobody knows. */
async function meddled(rig: Rig): Promise<void> {
  for (let user = 1; user <= 12; user += 1) rig.terminal('terminal-1').enrol({ user, fingers: 1 });
  for (let user = 1; user <= 12; user += 1) await verifiedOn(rig, user, ALL);
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
      same: 12,
      different: [],
      missing: [],
      extra: [],
    });
    expect(await compared(rig, 'terminal-2')).toMatchObject({ different: [3], extra: [77] });
  },
  { on: ['memory', 'tcp'] },
);

behaviour(
  'B11 repair brings in line what differs, and only that',
  async (rig) => {
    await meddled(rig);
    const bytes = (): number => rig.media.get('floor')?.counters.bytesToTerminals ?? 0;
    const before = bytes();
    const report = await compared(rig, 'terminal-2', true);
    expect(report).toMatchObject({ different: [3], pulled: 0 });
    await rig.until('user 3 as it should be', () => digestsOf(rig, 3).size === 1);
    expect(bytes() - before).toBeLessThan(4_000);
  },
  { on: ['memory'] },
);
