import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sleep } from './sleep.ts';
import { VirtualClock } from './virtual.ts';

const ALL = { forMs: Number.MAX_SAFE_INTEGER };

/** Delays that often fall on one instant, and fractional ones. */
const delays = fc.array(
  fc.oneof(fc.nat(5), fc.double({ min: 0, max: 1000, noNaN: true }), fc.constantFrom(0.1, 0.2, 0.3, -1)),
  { maxLength: 200 },
);

describe('timers', () => {
  test('fire in the order of their times, and for one instant in the order in which they were set', async () => {
    await fc.assert(
      fc.asyncProperty(delays, async (delays) => {
        const clock = new VirtualClock();
        const fired: { at: number; index: number }[] = [];
        for (const [index, delay] of delays.entries())
          clock.after(delay, () => fired.push({ at: clock.now(), index }));
        await clock.run(ALL);
        const expected = delays.map((delay, index) => ({ at: Math.max(0, delay), index }));
        expect(fired).toEqual(expected.sort((a, b) => a.at - b.at || a.index - b.index));
      }),
    );
  });

  test('fire at fractions of a millisecond', async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const tick = (): void => {
      times.push(clock.now());
      if (times.length < 3) clock.after(10 / 115.2, tick);
    };
    clock.after(10 / 115.2, tick);
    await clock.run(ALL);
    expect(times.map((time) => Math.round(time * 1e6))).toEqual([86_806, 173_611, 260_417]);
  });

  test('that were cancelled do not fire, whoever cancels them and however many there are', async () => {
    const timers = fc.array(fc.tuple(fc.nat(50), fc.boolean()), { minLength: 1, maxLength: 500 });
    await fc.assert(
      fc.asyncProperty(timers, async (timers) => {
        const clock = new VirtualClock();
        const fired: number[] = [];
        const cancels = timers.map(([delay], index) => clock.after(delay, () => fired.push(index)));
        for (const [index, [, cancelled]] of timers.entries()) if (cancelled) cancels[index]?.();
        await clock.run(ALL);
        const left = timers.map(([delay, cancelled], index) => ({ delay, cancelled, index }));
        expect(fired).toEqual(
          left
            .filter(({ cancelled }) => !cancelled)
            .sort((a, b) => a.delay - b.delay || a.index - b.index)
            .map(({ index }) => index),
        );
        for (const cancel of cancels) cancel();
      }),
      { numRuns: 50 },
    );
  });

  test('set for now or before fire at once, but not before the caller goes on', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.after(5, () => {
      for (const delay of [-3, 0, Number.NaN])
        clock.after(delay, () => order.push(`${delay} at ${clock.now()}`));
      order.push('set');
    });
    await clock.run(ALL);
    expect(order).toEqual(['set', '-3 at 5', '0 at 5', 'NaN at 5']);
  });
});

describe('a run', () => {
  test('ends when its time is over, and the clock then shows its end', async () => {
    const clock = new VirtualClock(1_000);
    let fired = 0;
    clock.after(10, () => (fired += 1));
    clock.after(10.5, () => (fired += 1));
    expect(await clock.run({ forMs: 10 })).toBe(false);
    expect([fired, clock.now(), clock.wallTime()]).toEqual([1, 10, 1_010]);
    expect(await clock.run({ forMs: 0.25 })).toBe(false);
    expect([fired, clock.now(), clock.wallTime()]).toEqual([1, 10.25, 1_010]);
    expect(await clock.run({ forMs: 0.25 })).toBe(false);
    expect(fired).toBe(2);
  });

  test('ends when it is done, and later timers fire in the next run', async () => {
    const clock = new VirtualClock();
    let fired = 0;
    for (let i = 1; i <= 100; i += 1) clock.after(i, () => (fired += 1));
    expect(await clock.run({ ...ALL, done: () => fired === 40 })).toBe(true);
    expect([fired, clock.now()]).toEqual([40, 40]);
    expect(await clock.run({ ...ALL, done: () => true })).toBe(true);
    expect(fired).toBe(40);
    expect(await clock.run({ forMs: 1_000 })).toBe(false);
    expect([fired, clock.now()]).toEqual([100, 1_040]);
  });

  test('fails with what a timer threw, and the next run goes on behind it', async () => {
    const clock = new VirtualClock();
    let later = false;
    clock.after(1, () => {
      throw new RangeError('from a timer');
    });
    clock.after(2, () => (later = true));
    await expect(clock.run(ALL)).rejects.toThrow('from a timer');
    expect(later).toBe(false);
    await clock.run(ALL);
    expect(later).toBe(true);
  });

  test('lets promises, microtasks and ticks run to their end before the next timer fires', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    const chain = async (name: string, length: number): Promise<void> => {
      for (let i = 0; i < length; i += 1) await Promise.resolve();
      order.push(name);
    };
    const expected: string[] = [];
    for (let i = 0; i < 200; i += 1) {
      expected.push(`timer ${i}`, `chain ${i}`);
      clock.after(0, () => {
        order.push(`timer ${i}`);
        void chain(`chain ${i}`, i);
      });
    }
    clock.after(1, () => {
      order.push('timer');
      queueMicrotask(() => {
        order.push('microtask');
        process.nextTick(() => {
          order.push('tick');
          void chain('chain behind a tick', 20);
        });
      });
    });
    clock.after(1, () => order.push('next timer'));
    await clock.run(ALL);
    expect(order).toEqual([
      ...expected,
      ...['timer', 'microtask', 'tick', 'chain behind a tick', 'next timer'],
    ]);
  });

  test('fires a timer that a promise set before later ones', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.after(10, () => order.push('ten'));
    const early = async (): Promise<void> => {
      await sleep(clock, 3);
      await sleep(clock, 3);
      order.push('six');
    };
    void early();
    await clock.run(ALL);
    expect(order).toEqual(['six', 'ten']);
  });

  test('is the same run after run', async () => {
    const play = async (): Promise<string[]> => {
      const clock = new VirtualClock();
      const seen: string[] = [];
      const worker = async (name: string, step: number): Promise<void> => {
        for (let i = 0; i < 30; i += 1) {
          await sleep(clock, step * (1 + (i % 3)));
          seen.push(`${name} ${clock.now().toFixed(3)}`);
        }
      };
      for (const [index, step] of [0.1, 0.2, 0.3, 1, 2.5].entries()) void worker(`worker ${index}`, step);
      await clock.run(ALL);
      return seen;
    };
    expect(await play()).toEqual(await play());
  });
});

test('time-outs that are cancelled do not pile up', async () => {
  const clock = new VirtualClock();
  for (let i = 0; i < 10_000; i += 1) {
    const cancel = clock.after(1e9, () => undefined);
    clock.after(i, cancel);
  }
  await clock.run({ forMs: 20_000 });
  expect(clock.pending).toBeLessThan(100);
});
