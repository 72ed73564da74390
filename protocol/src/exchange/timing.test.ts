import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerTimeoutMs, WORK_MS, wireMs } from './timing.ts';

test('a byte takes ten bits: a start bit, eight data bits, a stop bit', () => {
  expect(wireMs(1, 9_600)).toBeCloseTo(1.0417, 4);
  expect(wireMs(1100, 115_200)).toBeCloseTo(95.486, 3);
  expect(wireMs(0, 9_600)).toBe(0);
});

describe('the patience for an answer', () => {
  const timing = { baud: 9_600, turnaroundMs: 5, latencyMs: 20 };

  test('is byte times, turnaround, work and latency', () => {
    const request = { requestBytes: 12, answerBytes: 84, work: 'memory' } as const;
    expect(answerTimeoutMs(timing, request)).toBeCloseTo(100 + 5 + WORK_MS.memory + 20, 9);
    expect(answerTimeoutMs(timing, { ...request, work: 'flash' })).toBeCloseTo(
      100 + 5 + WORK_MS.flash + 20,
      9,
    );
  });

  test('has no byte times where there are none', () => {
    const tcp = { turnaroundMs: 0, latencyMs: 250 };
    const request = { requestBytes: 1100, answerBytes: 1100, work: 'memory' } as const;
    expect(answerTimeoutMs(tcp, request)).toBe(WORK_MS.memory + 250);
  });

  test('is never shorter for more bytes or a slower line', () => {
    const bytes = fc.nat(1100);
    const baud = fc.integer({ min: 9_600, max: 921_600 });
    fc.assert(
      fc.property(bytes, bytes, baud, baud, (a, b, x, y) => {
        const patience = (answerBytes: number, baud: number): number =>
          answerTimeoutMs({ ...timing, baud }, { requestBytes: 0, answerBytes, work: 'memory' });
        const longest = patience(Math.max(a, b), Math.min(x, y));
        expect(longest).toBeGreaterThanOrEqual(patience(Math.min(a, b), Math.max(x, y)));
      }),
    );
  });
});
