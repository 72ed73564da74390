import type { CapturedLine } from '@whorl/protocol';
import type { Medium } from '@whorl/device-emulator';
import { expect, onTestFinished, test } from 'vitest';
import { ALL, allOnline, verifiedOn } from './behaviour.ts';
import { memoryRig } from './memory.ts';
import { SMALL_SITE } from './rig.ts';
import { Timeline } from './timeline.ts';

test('E8 the timeline shows the last packets, opened with the keys that were told, and no template', async () => {
  const timeline = new Timeline();
  const rig = await memoryRig(SMALL_SITE, {
    tellKeys: timeline.tellKeys,
    tap: (clock) => (line: CapturedLine, medium: Medium) => {
      timeline.tap(line, medium, clock);
    },
  });
  onTestFinished(() => rig.close());
  await allOnline(rig);
  rig.terminal('terminal-1').enrol({ user: 42, fingers: 1 });
  await verifiedOn(rig, 42, ALL);
  const shown = timeline.show().map((row) => row.shown);
  expect(shown.length).toBeGreaterThan(20);
  expect(shown.length).toBeLessThanOrEqual(200);
  expect(shown.at(-1)).not.toContain('idle');
  await rig.until('a silence', () => timeline.show().at(-1)?.text.startsWith('idle for ') === true);
});
