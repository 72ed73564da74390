import type { Clock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { apartText } from './clocks.ts';
import { carded, named, SatelliteNode, World } from './testing/world.ts';

const YEAR_MS = 365 * 86_400_000;

async function told({ store }: Pick<SatelliteNode, 'store'>): Promise<unknown[]> {
  return (await store.events({ type: 'site.clock.wrong', limit: 10 })).map(({ data }) => data);
}

test.each([-20, 20])(
  'S4 S10 a satellite whose clock is %i years wrong exchanges all the same, and both ends say so once, until it is right',
  async (years) => {
    const world = await World.open(31);
    onTestFinished(() => world.close());
    const wrong = { ms: years * YEAR_MS };
    const clock: Clock = {
      now: () => world.clock.now(),
      after: (delayMs, fire) => world.clock.after(delayMs, fire),
      wallTime: () => world.clock.wallTime() + wrong.ms,
    };
    await world.hq.edit(1, named('Ada'));
    await world.master.list.add({
      ...{ syncId: 2, name: 'north', url: '', user: 'north', password: 'correct horse battery' },
      groups: undefined,
    });
    const there = Object.assign(Object.create(world) as World, { clock });
    const north = new SatelliteNode(there, { name: 'north', syncId: 2, store: world.store() });
    await north.begin();
    const sync = (): Promise<string | undefined> => world.during(north.satellite.syncNow());
    expect(await sync()).toBeUndefined();
    await north.enrol(2, { ...named('Bo'), ...carded(7) });
    expect(await sync()).toBeUndefined();
    await world.hq.edit(2, carded(9));
    await north.enrol(1, carded(3));
    for (let count = 0; count < 2; count += 1) expect(await sync()).toBeUndefined();
    expect(await north.contents()).toEqual(await world.hq.contents());
    expect(Object.keys(await north.contents())).toEqual(['1', '2']);
    for (const { time } of (await world.hq.store.user(2))?.provenance.values() ?? [])
      expect(time, 'what was enrolled there is not of the future').toBeLessThanOrEqual(
        world.clock.wallTime(),
      );
    const seconds = (years * YEAR_MS) / 1000;
    expect(await told(world.hq)).toEqual([{ site: 'north', seconds: expect.closeTo(seconds, -1) as number }]);
    expect(await told(north)).toEqual([{ site: 'hq', seconds: expect.closeTo(-seconds, -1) as number }]);
    expect(apartText(world.master.state(2).apartMs ?? 0)).toContain('20 years');
    expect(apartText(north.satellite.state.apartMs ?? 0)).toContain('20 years');
    // The interval goes by another clock.
    await world.pass(320_000);
    expect(world.clock.wallTime() - (world.master.state(2).success ?? 0)).toBeLessThan(310_000);
    wrong.ms = 0;
    expect(await sync()).toBeUndefined();
    expect(world.master.state(2).apartMs).toBeUndefined();
    expect(north.satellite.state.apartMs).toBeUndefined();
    expect(await told(world.hq)).toHaveLength(1);
    await world.during(north.satellite.stop());
  },
);

test.each([
  [-1500, '1.5 s behind this one'],
  [90_000, '90 s ahead of this one'],
  [7_200_000, '2 h ahead of this one'],
  [-5 * 86_400_000, '5 days behind this one'],
  [20 * YEAR_MS, '20 years ahead of this one'],
])('%i ms is told as %s', (ms, text) => {
  expect(apartText(ms)).toBe(text);
});
