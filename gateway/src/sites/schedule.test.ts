import { expect, test } from 'vitest';
import { nextExchange, quietFor } from './schedule.ts';

test('S4 quiet hours, pauses and failures say when the next exchange begins', () => {
  const settings = {
    ...{ intervalMinutes: 10, continuous: true, bytesPerSecond: 0 },
    quiet: [{ from: '22:00', to: '02:00' }],
  };
  const plan = { settings, ended: 0, failures: 0, now: 1000, minute: 600 };
  expect(nextExchange(plan)).toBe(600_000);
  expect(nextExchange({ ...plan, news: 500 })).toBe(700);
  expect(nextExchange({ ...plan, failures: 1 })).toBe(5_000);
  expect(nextExchange({ ...plan, minute: 1380 })).toBe(1000 + 180 * 60_000);
  expect(nextExchange({ ...plan, minute: 1380, asked: 900 })).toBe(900);
  expect(nextExchange({ ...plan, minute: 1315 }), 'which is in them').toBe(1000 + 245 * 60_000);
  expect(nextExchange({ ...plan, settings: { ...settings, intervalMinutes: 0 } })).toBeUndefined();
  expect(quietFor(settings, 60)).toBe(60);
  expect(quietFor(settings, 120)).toBe(0);
});
