import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { NewEvent } from '../events/catalogue.ts';
import { silentLog } from '../settings/log.ts';
import { openStore } from '../store/open.ts';
import { BackingUp } from './backing-up.ts';

test('backups are made as planned, and the oldest are removed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-plan-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const store = openStore({ data: { memory: true } });
  const clock = new VirtualClock();
  const tell = async (event: NewEvent): Promise<void> => {
    await store.addEvents([event]);
  };
  const plan = { directory, hours: 24, keep: 2 };
  const backingUp = new BackingUp({ store, tell, clock, log: silentLog, name: 'hq', plan });
  backingUp.start();
  for (let made = 1; made <= 4; made += 1) {
    await clock.run({ forMs: made === 1 ? 1 : 86_400_000 });
    await vi.waitFor(
      async () => {
        expect(await store.events({ limit: 9, type: 'backup.made' })).toHaveLength(made);
      },
      { timeout: 10_000 },
    );
  }
  await backingUp.stop();
  expect(readdirSync(directory).filter((file) => file.endsWith('.whorl'))).toHaveLength(2);
  await store.close();
}, 30_000);
