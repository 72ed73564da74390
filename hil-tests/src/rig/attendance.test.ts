import { expect, onTestFinished, test } from 'vitest';
import { absent } from './attendance.ts';
import { memoryRig } from './memory.ts';
import type { MemoryRig } from './memory.ts';
import { SMALL_SITE } from './rig.ts';

async function opened(): Promise<MemoryRig> {
  const rig = await memoryRig(SMALL_SITE);
  onTestFinished(() => rig.close());
  return rig;
}

test('E8 who answers after a while is not missed', async () => {
  const rig = await opened();
  expect(await absent(rig, rig)).toEqual([]);
});

test('E8 of who does not answer it is told why, of a line that cannot be opened once', async () => {
  const rig = await opened();
  const { clock } = rig;
  await rig.unplug('floor');
  const began = clock.now();
  expect(await absent(rig, rig)).toEqual([expect.stringMatching(/^line floor \(.*\): \S/)]);
  expect(clock.now() - began).toBeLessThan(5_000);
  await rig.plug('floor');
  rig.terminal('terminal-2').powerOff();
  expect(await absent(rig, rig)).toEqual([expect.stringMatching(/^terminal-2 on line floor: \S/)]);
});

test('E8 who ends the run waits for nobody', async () => {
  const rig = await opened();
  await rig.unplug('floor');
  const before = rig.clock.now();
  expect(await absent(rig, { clock: rig.clock, signal: AbortSignal.abort() })).toEqual([]);
  expect(rig.clock.now()).toBe(before);
});
