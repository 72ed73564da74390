import { expect, onTestFinished, test } from 'vitest';
import { forgetCode, SitesLock } from './lock.ts';
import type { CodeHash } from './lock.ts';
import { World } from './testing/world.ts';

const CODE = 'open-sesame-41';

async function open(): Promise<{ world: World; lock: SitesLock; hash: CodeHash & { looked: number } }> {
  const world = await World.open();
  onTestFinished(() => world.close());
  const hash = {
    looked: 0,
    make: (code: string) => Promise.resolve(`hash of ${code}`),
    is: (code: string, kept: string) => {
      hash.looked += 1;
      return Promise.resolve(kept === `hash of ${code}`);
    },
  };
  return { world, hash, lock: new SitesLock(world.hq.ground, hash) };
}

const wrong = { code: 'something else', minutes: 10 };
const right = { code: CODE, minutes: 10 };

test('S8 as long as there is no code nobody can change the sync settings', async () => {
  const { lock } = await open();
  expect(await lock.view('ada')).toEqual({ set: false });
  await expect(lock.demand('ada')).rejects.toMatchObject({ code: 'SITES_CODE_NONE' });
  await expect(lock.open('ada', right)).rejects.toMatchObject({ code: 'SITES_CODE_NONE' });
  for (const code of ['short1', '12345678', 'abcdefgh', '11112222', '87654321'])
    await expect(lock.setCode('ada', { code }), code).rejects.toMatchObject({ code: 'SITES_CODE_WEAK' });
});

test('S8 the lock opens for one account, and closes by itself, by hand, by a restart and with another code', async () => {
  const { world, lock, hash } = await open();
  await lock.setCode('ada', { code: CODE });
  await expect(lock.demand('ada')).rejects.toMatchObject({ code: 'SITES_LOCKED' });
  const until = await lock.open('ada', right);
  await expect(lock.demand('ada')).resolves.toBeUndefined();
  expect(await lock.view('ada')).toEqual({ set: true, open: until });
  await expect(lock.demand('bo')).rejects.toMatchObject({ code: 'SITES_LOCKED' });
  await world.pass(10 * 60_000);
  await expect(lock.demand('ada')).rejects.toMatchObject({ code: 'SITES_LOCKED' });
  await lock.open('ada', right);
  await lock.close('asked');
  await expect(lock.demand('ada')).rejects.toMatchObject({ code: 'SITES_LOCKED' });
  await lock.open('ada', right);
  const restarted = new SitesLock(world.hq.ground, hash);
  await expect(restarted.demand('ada')).rejects.toMatchObject({ code: 'SITES_LOCKED' });
  await expect(lock.setCode('ada', { code: 'another-code-7' })).rejects.toMatchObject({ code: 'SITES_CODE' });
  await lock.setCode('ada', { code: 'another-code-7', current: CODE });
  await expect(lock.demand('ada')).rejects.toMatchObject({ code: 'SITES_LOCKED' });
  const told = await world.hq.store.events({ limit: 100 });
  expect(told.filter(({ type }) => type === 'site.locked').map(({ data }) => data)).toEqual([
    { why: 'time' },
    { why: 'asked' },
    { why: 'code' },
  ]);
});

test('S8 wrong codes make the next one wait, longer and longer, over restarts and many at once too, and are told of', async () => {
  const { world, hash, lock } = await open();
  await lock.setCode('ada', { code: CODE });
  const tries = await Promise.allSettled(Array.from({ length: 30 }, () => lock.open('ada', wrong)));
  expect(hash.looked).toBe(5);
  expect(tries.at(-1)).toMatchObject({ reason: { code: 'SITES_CODE_RATE' } });
  const restarted = new SitesLock(world.hq.ground, hash);
  await expect(restarted.open('ada', right), 'the right one too').rejects.toMatchObject({
    code: 'SITES_CODE_RATE',
  });
  expect(await restarted.view('bo')).toEqual({ set: true, waitMs: 60_000 });
  let waits = 0;
  for (let ms = 60_000; waits < 6; waits += 1, ms = Math.min(ms * 2, 900_000)) {
    await world.pass(ms - 1000);
    await expect(restarted.open('bo', right)).rejects.toMatchObject({ code: 'SITES_CODE_RATE' });
    await world.pass(1000);
    await expect(restarted.setCode('bo', { code: CODE, current: 'no idea' })).rejects.toMatchObject({
      code: 'SITES_CODE',
    });
  }
  const told = await world.hq.store.events({ type: 'site.code.wrong', limit: 100 });
  expect(told).toHaveLength(11);
  expect(told.at(-1)).toMatchObject({ data: { who: 'bo', tries: 11 } });
  await world.pass(900_000);
  await restarted.open('ada', right);
  expect(await restarted.view('bo')).toEqual({ set: true });
});

test('S8 the code’s hash is sealed in the database: nobody without the master key can try codes on it, or put another in its place', async () => {
  const { world, lock } = await open();
  await lock.setCode('ada', { code: CODE });
  const { store } = world.hq;
  const kept = (await store.note('sites.lock')) ?? '';
  expect(kept + Buffer.from(kept, 'base64').toString('latin1')).not.toMatch(/hash|failures/);
  const own = JSON.stringify({ hash: `hash of ${CODE}`, failures: 0, last: 0 });
  for (const forged of [own, Buffer.from(own).toString('base64')]) {
    await store.saveNote('sites.lock', forged);
    await expect(lock.open('ada', right)).rejects.toMatchObject({ code: 'VAULT_SEALED' });
  }
  expect(await forgetCode(store)).toBe(true);
  expect(await lock.view('ada')).toEqual({ set: false });
});
