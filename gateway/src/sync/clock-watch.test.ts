import { VirtualClock, WhorlError } from '@whorl/protocol';
import { EXAMPLES } from '@whorl/protocol/spec/examples';
import { expect, test } from 'vitest';
import type { Identity } from '../terminals/driver.ts';
import { ClockWatch } from './clock-watch.ts';

const HOUR_MS = 3_600_000;

/** A terminal that came just now, whose clock is off by so much; and what happens when it is asked. */
function bench({
  off = 0,
  reads = () => 0,
  name = 'door',
}: {
  off?: number;
  reads?: () => number;
  name?: string;
}) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const seen: { asked: number[]; wrong: number; failures: unknown[] } = { asked: [], wrong: 0, failures: [] };
  const watch = new ClockWatch({
    clock,
    signal: stop.signal,
    driver: {
      name,
      clockOff: () => {
        seen.asked.push(clock.now());
        return new Promise((resolve) => {
          resolve(reads());
        });
      },
    },
    onWrong: () => (seen.wrong += 1),
    onFailure: (error) => seen.failures.push(error),
  });
  const greeted = (by = off): Identity => ({
    ...EXAMPLES.welcome,
    clock: clock.wallTime() + by,
    greeted: clock.wallTime(),
  });
  const pass = async (identity: Identity, forMs: number): Promise<void> => {
    for (const end = clock.now() + forMs; ;) {
      const wait = Math.min(watch.look(identity), end - clock.now());
      if (wait <= 0) return;
      await clock.run({ forMs: wait });
    }
  };
  return { watch, seen, stop, greeted, pass };
}

test('B11 a clock within a minute of ours is let be, one further off is to be set, until that is done', () => {
  const { watch, greeted } = bench({});
  expect(watch.offOf(greeted(60_000))).toBeUndefined();
  const identity = greeted(-60_001);
  expect(watch.offOf(identity)).toBe(-60_001);
  expect(watch.offOf(identity)).toBe(-60_001);
  watch.settled(identity);
  expect(watch.offOf(identity)).toBeUndefined();
});

test('B11 while a terminal stays, its clock is read once an hour, and what was read is to be done once', async () => {
  let off = 60_000;
  const { watch, seen, greeted, pass } = bench({ reads: () => off });
  const identity = greeted();
  watch.settled(identity);
  await pass(identity, 5 * HOUR_MS);
  expect(seen.asked).toHaveLength(5);
  expect(seen.wrong).toBe(0);
  expect(watch.offOf(identity)).toBeUndefined();
  off = 61_000;
  await pass(identity, HOUR_MS);
  expect(seen.wrong).toBe(1);
  expect(watch.offOf(identity)).toBe(61_000);
  watch.settled(identity);
  expect(watch.offOf(identity)).toBeUndefined();
});

test('terminals that come together are read at different times', async () => {
  const times = new Set<number | undefined>();
  for (let n = 0; n < 32; n += 1) {
    const { watch, seen, greeted, pass } = bench({ name: `door-${n}` });
    const identity = greeted();
    watch.settled(identity);
    await pass(identity, HOUR_MS);
    times.add(seen.asked[0]);
  }
  expect(times.size).toBe(32);
});

test('a clock that cannot be read is not asked for; a failure is told, and it is read the next hour', async () => {
  const older = bench({ reads: () => 90_000 });
  const does = { ...EXAMPLES.welcome.capabilities.does, clock: false };
  const identity = { ...older.greeted(), capabilities: { ...EXAMPLES.welcome.capabilities, does } };
  older.watch.settled(identity);
  await older.pass(identity, 3 * HOUR_MS);
  expect(older.seen.asked).toEqual([]);

  const away = bench({
    reads: () => {
      throw new WhorlError('EXCHANGE_TIMEOUT', 'no answer');
    },
  });
  const there = away.greeted();
  away.watch.settled(there);
  await away.pass(there, 2 * HOUR_MS);
  expect(away.seen.failures).toHaveLength(2);
  expect(away.watch.offOf(there)).toBeUndefined();
  away.stop.abort();
  await away.pass(there, HOUR_MS);
  expect(away.seen.failures).toHaveLength(2);
});

test('what was read of a terminal that has been greeted again meanwhile counts no more', async () => {
  const answers: ((off: number) => void)[] = [];
  const clock = new VirtualClock();
  let wrong = 0;
  const watch = new ClockWatch({
    clock,
    signal: new AbortController().signal,
    driver: { name: 'door', clockOff: () => new Promise((resolve) => answers.push(resolve)) },
    onWrong: () => (wrong += 1),
    onFailure: () => undefined,
  });
  const greeted = (): Identity => ({ ...EXAMPLES.welcome, clock: 0, greeted: 0 });
  const first = greeted();
  watch.settled(first);
  await clock.run({ forMs: HOUR_MS });
  watch.look(first);
  const second = greeted();
  watch.settled(second);
  answers[0]?.(90_000);
  await clock.run({ forMs: 1 });
  expect(wrong).toBe(0);
  expect(watch.offOf(second)).toBeUndefined();
});
