import { describe, expect, test } from 'vitest';
import { codeOf } from '../errors.ts';
import { sleep } from './sleep.ts';
import { VirtualClock } from './virtual.ts';

describe('sleep', () => {
  test('lasts as long as the clock says', async () => {
    const clock = new VirtualClock();
    const woken = sleep(clock, 7.5).then(() => clock.now());
    await clock.run({ forMs: 100 });
    expect(await woken).toBe(7.5);
  });

  test('ends with ABORTED when it is aborted, also before it began', async () => {
    const clock = new VirtualClock();
    const abort = new AbortController();
    const asleep = sleep(clock, 10, abort.signal).catch(codeOf);
    clock.after(5, () => {
      abort.abort();
    });
    await clock.run({ forMs: 100 });
    expect(await asleep).toBe('ABORTED');
    expect(await sleep(clock, 10, abort.signal).catch(codeOf)).toBe('ABORTED');
  });

  test('takes no notice of an abort after its end', async () => {
    const clock = new VirtualClock();
    const abort = new AbortController();
    const asleep = sleep(clock, 1, abort.signal);
    await clock.run({ forMs: 2 });
    abort.abort();
    await expect(asleep).resolves.toBeUndefined();
  });
});
