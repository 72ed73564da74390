import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { allOnline } from '../rig/behaviour.ts';
import { realRig } from '../rig/real.ts';
import { holdFile } from '../rig/slow-ground.ts';

const SLOW = new URL('../rig/slow-ground.ts', import.meta.url).href;
const CARDS = 3_000;

test('B8 a slow disk never stalls a line: terminals are polled on, each keeps its records until a page of them is stored, and all are stored once', async () => {
  const rig = await realRig(
    'tcp',
    { lines: { floor: [{ name: 'terminal-1' }, { name: 'terminal-2' }], gate: [{ name: 'terminal-3' }] } },
    { ground: SLOW },
  );
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const { operations, store } = rig.gateway;
  const hold = holdFile(join(rig.data, 'whorl.db'));
  writeFileSync(hold, '');
  onTestFinished(() => {
    rmSync(hold, { force: true });
  });
  let stored = false;
  const held = store.saveNote('held', 'yes').then(() => (stored = true));
  const asked = { floor: 0, gate: 0 };
  for (const line of ['floor', 'gate'] as const)
    operations.tap(line)((_bytes, direction) => {
      if (direction === 'to-terminal') asked[line] += 1;
    });
  for (const terminal of rig.terminals.values()) terminal.turnAway(CARDS);
  await rig.until('both lines asked again and again', () => Math.min(asked.floor, asked.gate) >= 5);
  expect(stored).toBe(false);
  rmSync(hold);
  await held;
  const denied = async (): Promise<readonly string[]> =>
    (await store.events({ type: 'access.denied', limit: 100_000 })).flatMap(({ source }) => source ?? []);
  await rig.until('all records stored', async () => (await denied()).length >= rig.terminals.size * CARDS);
  const sources = await denied();
  expect(sources).toHaveLength(rig.terminals.size * CARDS);
  expect(new Set(sources).size).toBe(sources.length);
}, 120_000);
