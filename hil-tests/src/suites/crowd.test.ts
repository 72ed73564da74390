import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { crowd } from '../rig/crowd.ts';

/** All 500 users, in a minute or two, when asked for; else as many as show the same. */
const users = Number(process.env['WHORL_CROWD'] ?? 120);
const plan = { users, terminals: 31, corrupted: 1 / 10_000, rebooting: 0, seed: 1 };

describe('G8 a line of 31 terminals, one byte in 10,000 corrupted', { timeout: 240_000 }, () => {
  test('every user reaches every terminal, no session is lost, and little time', async () => {
    const clean = await crowd({ ...plan, corrupted: 0 });
    const noisy = await crowd(plan);
    expect(noisy).toMatchObject({ lost: [], sessions: 0, tables: 1 });
    expect(noisy.flippedBits).toBeGreaterThan(users / 10);
    // What crosses to all crosses once: in turn it would be a thirtieth.
    expect(clean.efficiency).toBeGreaterThan(0.6);
    expect(clean.ms / noisy.ms).toBeGreaterThan(0.85);
  });

  test('B10 two terminals that start anew at random get all of it too, and cost no other its session', async () => {
    const result = await crowd({ ...plan, rebooting: 2 });
    expect(result.reboots).toBeGreaterThan(0);
    expect(result).toMatchObject({ lost: [], sessions: 0, tables: 1 });
  });
});
