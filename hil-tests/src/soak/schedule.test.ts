import { VirtualClock } from '@whorl/protocol';
import { expect, test } from 'vitest';
import type { Job, Part } from './job.ts';
import { Schedule } from './schedule.ts';

function scheduled(
  only: readonly Part[],
  changes: { minutes?: number; release?: boolean; seed?: number } = {},
) {
  const clock = new VirtualClock();
  const schedule = new Schedule({ seed: 1, minutes: 0, release: false, ...changes, only, clock });
  const next = (): Job => {
    const job = schedule.next();
    if (job === undefined) throw new Error('there is nothing more to do');
    return job;
  };
  return { clock, schedule, next };
}

test('two runs of a seed that end in different states are a violation', () => {
  const { schedule, next } = scheduled(['programmes'], { seed: 8 });
  const [one, other] = [next(), next()];
  expect(other.seed).toBe(one.seed);
  expect(schedule.next()).toBeUndefined();
  const counts = { 'sim.seeds': 1, 'sim.violations': 0 };
  expect(schedule.done(one, { counts, hash: 'a' })).toBeUndefined();
  expect(schedule.done(other, { counts, hash: 'b' })).toContain('seed 8 end in different states');
  expect(schedule.figures()).toMatchObject({ 'sim.seeds': 1, 'sim.violations': 1 });
  expect(schedule.failures).toBe(1);
});

test('a minute has two hundred seeds of the simulation at least, however long they take', async () => {
  const { clock, schedule } = scheduled(['programmes'], { minutes: 1 });
  const seeds = new Set<number>();
  for (let job = schedule.next(); job !== undefined; job = schedule.next()) {
    seeds.add(job.seed);
    await clock.run({ forMs: 2_000 });
    schedule.done(job, { counts: {} });
  }
  expect(seeds.size).toBe(200);
});

test('a part that a release has enough of is over, and the figures tell how long all of it takes', async () => {
  const { clock, schedule, next } = scheduled(['fuzz'], { minutes: 100_000, release: true });
  const job = next();
  await clock.run({ forMs: 60_000 });
  schedule.done(job, { counts: { 'fuzz.frames': 5e8, 'fuzz.crashes': 0 } });
  expect(schedule.figures()).toMatchObject({
    'fuzz.frames_per_minute': 5e8,
    'release.worker_hours': 0.03,
  });
  schedule.done(next(), { counts: { 'fuzz.frames': 5e8 } });
  expect(schedule.next()).toBeUndefined();
});

test('how long all that a release needs takes is told once something of each part was done', async () => {
  const { clock, schedule, next } = scheduled(['fuzz', 'kill'], { minutes: 100_000, release: true });
  const counts = { 'fuzz.frames': 5e8, 'kill.cycles': 10 };
  for (const part of ['kill', 'fuzz']) {
    expect(schedule.figures()).not.toHaveProperty(['release.worker_hours']);
    const job = next();
    expect(job.part).toBe(part);
    await clock.run({ forMs: 60_000 });
    schedule.done(job, { counts });
  }
  expect(schedule.figures()).toHaveProperty(['release.worker_hours']);
});

test('the part that is furthest behind its share of the time is next', async () => {
  const { clock, schedule, next } = scheduled(['powerloss', 'programmes'], { minutes: 60 });
  const spent = { powerloss: 0, programmes: 0 };
  for (let turn = 0; turn < 100; turn += 1) {
    const job = next();
    if (job.part !== 'powerloss' && job.part !== 'programmes') throw new Error(job.part);
    spent[job.part] += 1;
    await clock.run({ forMs: 1_000 });
    schedule.done(job, { counts: {} });
  }
  expect(spent).toEqual({ powerloss: 20, programmes: 80 });
});
