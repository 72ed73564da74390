import { VirtualClock, WhorlError } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../store/open.ts';
import type { JobRow, JobStore } from '../store/jobs.ts';
import type { Store } from '../store/store.ts';
import { Jobs } from './jobs.ts';

function jobStoreOf({ jobs }: Store): Pick<JobStore, 'add' | 'job' | 'list' | 'interrupt'> {
  return {
    add: (job) => jobs.add(job),
    job: (id) => jobs.job(id),
    list: (limit) => jobs.list(limit),
    interrupt: (time) => jobs.interrupt(time),
  };
}

function start() {
  const store = openStore({ data: { memory: true } });
  onTestFinished(() => store.close());
  const ended: JobRow[] = [];
  const failures: unknown[] = [];
  const clock = new VirtualClock();
  const saving = { fails: false };
  const parts = {
    store: {
      ...jobStoreOf(store),
      save: (job: JobRow) =>
        saving.fails ? Promise.reject(new WhorlError('STORE_FULL', 'no room')) : store.jobs.save(job),
    },
    clock,
    ended: async (job: JobRow) => void ended.push(job),
    onFailure: (error: unknown) => void failures.push(error),
  };
  return { jobs: new Jobs(parts), again: () => new Jobs(parts), store, clock, saving, ended, failures };
}

const wish = { kind: 'import', who: 'ada', total: 3 };

/** Resolves when a job has ended. */
async function over(jobs: Jobs, id: number): Promise<JobRow> {
  for (;;) {
    const job = await jobs.job(id);
    if (job.state !== 'running') return job;
    await new Promise<void>((resolve) => {
      const stop = jobs.watch(id, () => {
        stop();
        resolve();
      });
    });
  }
}

test('G6 a job tells how far it is, and what came of it, also after its end', async () => {
  const { jobs, ended } = start();
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const { id } = await jobs.start(wish, async ({ progress }) => {
    await progress(2);
    await gate;
    await progress(3);
    return { added: 3 };
  });
  expect(await jobs.job(id)).toMatchObject({ state: 'running', done: 2, total: 3, who: 'ada' });
  go();
  expect(await over(jobs, id)).toMatchObject({ state: 'done', done: 3, result: { added: 3 } });
  expect(await jobs.list(10)).toMatchObject([{ id, state: 'done' }]);
  expect(ended).toMatchObject([{ id, state: 'done' }]);
  await expect(jobs.cancel(id)).rejects.toMatchObject({ code: 'JOB_OVER' });
});

test('G6 a job that is cancelled ends with what it has', async () => {
  const { jobs } = start();
  const { id } = await jobs.start(wish, async ({ signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    return { added: 1 };
  });
  await jobs.cancel(id);
  expect(await over(jobs, id)).toMatchObject({ state: 'cancelled', result: { added: 1 } });
});

test('G6 a job that fails says why; what is none of ours keeps its text to itself', async () => {
  const { jobs, failures } = start();
  const full = new WhorlError('STORE_FULL', 'no room');
  const first = await jobs.start(wish, () => Promise.reject(full));
  expect(await over(jobs, first.id)).toMatchObject({ state: 'failed', error: { code: 'STORE_FULL' } });
  const second = await jobs.start(wish, () => Promise.reject(new Error('secret')));
  const failed = await over(jobs, second.id);
  expect(failed).toMatchObject({ state: 'failed', error: { code: 'INTERNAL' } });
  expect(JSON.stringify(failed)).not.toContain('secret');
  expect(failures).toHaveLength(1);
});

test('G6 a job that a restart cut off is interrupted, and not begun again', async () => {
  const { jobs, again } = start();
  const { id } = await jobs.start(wish, () => new Promise(() => undefined));
  const next = again();
  await next.open();
  expect(await next.job(id)).toMatchObject({ state: 'interrupted', ended: expect.any(Number) as number });
});

test('G6 so many jobs at once and no more; stopping ends them all', async () => {
  const { jobs } = start();
  const wait = ({ signal }: { signal: AbortSignal }): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  for (let n = 0; n < 8; n += 1) await jobs.start(wish, wait);
  await expect(jobs.start(wish, wait)).rejects.toMatchObject({ code: 'JOB_MANY' });
  await jobs.stop();
  expect((await jobs.list(10)).every(({ state }) => state === 'cancelled')).toBe(true);
});

test('B7 G6 a job whose end the database does not take has ended all the same, and is saved as soon as it can be', async () => {
  const { jobs, store, clock, saving, ended } = start();
  saving.fails = true;
  const { id } = await jobs.start(wish, async () => ({ added: 3 }));
  expect(await over(jobs, id)).toMatchObject({ state: 'done', result: { added: 3 } });
  expect(await jobs.list(10)).toMatchObject([{ id, state: 'done' }]);
  await expect(jobs.cancel(id)).rejects.toMatchObject({ code: 'JOB_OVER' });
  await clock.run({ forMs: 20_000 });
  expect(await store.jobs.job(id)).toMatchObject({ state: 'running' });
  expect(ended).toEqual([]);
  saving.fails = false;
  await clock.run({ forMs: 5_000 });
  expect(await store.jobs.job(id)).toMatchObject({ state: 'done', result: { added: 3 } });
  expect(ended).toMatchObject([{ id, state: 'done' }]);
});

test('G6 a gateway that stops waits for no database that takes nothing; the job is interrupted when it starts again', async () => {
  const { jobs, again, saving } = start();
  saving.fails = true;
  const { id } = await jobs.start(wish, async () => undefined);
  await over(jobs, id);
  await jobs.stop();
  saving.fails = false;
  const next = again();
  await next.open();
  expect(await next.job(id)).toMatchObject({ state: 'interrupted' });
});
