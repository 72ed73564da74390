import { expect, onTestFinished, test } from 'vitest';
import { named, World } from './testing/world.ts';
import type { SatelliteNode } from './testing/world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BERLIN = new Intl.DateTimeFormat('en-GB', {
  ...{ timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
});

/** A satellite that exchanges every so many minutes, and at no time of its quiet hours by itself. */
async function open(
  intervalMinutes: number,
  ...[from, to]: readonly [string, string]
): Promise<{ world: World; north: SatelliteNode }> {
  const world = await World.open();
  onTestFinished(() => world.close());
  const north = await world.add('north', { paused: true });
  north.settings = { ...north.settings, intervalMinutes, continuous: true, quiet: [{ from, to }] };
  return { world, north };
}

/** When exchanges ended while so much time passes: whole minutes since it began to. */
async function exchanged(world: World, north: SatelliteNode, forMs: number): Promise<number[]> {
  const began = world.clock.wallTime();
  const times = new Set<number>();
  for (let passed = 0; passed < forMs; passed += MINUTE_MS) {
    await world.pass(MINUTE_MS);
    const { success } = north.satellite.state;
    if (success !== undefined && success > began) times.add(Math.floor((success - began) / MINUTE_MS));
  }
  return [...times];
}

/** The clock on the wall of a satellite, which shows what somebody or a time server sets it to. */
function wallOf(world: World, north: SatelliteNode): (time: number) => void {
  let ahead = 0;
  north.minute = () => Math.floor((world.clock.wallTime() + ahead) / MINUTE_MS) % 1440;
  return (time) => {
    ahead = time - world.clock.wallTime();
  };
}

test('S4 an exchange that is due in quiet hours, or wanted in them, begins when they end', async () => {
  const { world, north } = await open(12 * 60, '22:00', '06:00');
  const set = wallOf(world, north);
  set(Date.UTC(2026, 0, 1, 13));
  north.satellite.resettled();
  expect(await exchanged(world, north, 10 * HOUR_MS), 'at 13:00; the next would be at 01:00').toEqual([0]);
  await north.enrol(5, named('Eve'));
  north.satellite.changed();
  expect(await exchanged(world, north, 8 * HOUR_MS), 'seven hours after 23:00').toEqual([7 * 60]);
  expect(await north.contents()).toEqual(await world.hq.contents());
});

test.each([
  ['1970, at midnight', Date.UTC(1970, 0, 1)],
  ['2099, at night', Date.UTC(2099, 11, 31, 23, 30)],
])(
  'S4 a machine that starts in %s, and whose clock is then set: quiet hours are those of the right time',
  async (_, wrong) => {
    const { world, north } = await open(5, '22:00', '06:00');
    const set = wallOf(world, north);
    set(wrong);
    north.satellite.resettled();
    expect(await exchanged(world, north, 20 * MINUTE_MS), 'as long as it is night there').toEqual([]);
    set(Date.UTC(2026, 0, 1, 14));
    expect((await exchanged(world, north, 10 * MINUTE_MS))[0], 'within a minute').toBeLessThan(2);
    set(wrong);
    expect(await exchanged(world, north, HOUR_MS), 'and back').toEqual([]);
    set(Date.UTC(2026, 0, 1, 21, 50));
    expect((await exchanged(world, north, HOUR_MS)).at(-1), 'not beyond 22:00').toBeLessThan(10);
  },
);

test.each([
  ['forward', Date.UTC(2026, 2, 29), [[30, 60]]],
  [
    'back',
    Date.UTC(2026, 9, 25) - HOUR_MS,
    [
      [30, 90],
      [120, 150],
    ],
  ],
] as const)(
  'S4 quiet hours go by the clock on the wall on the night when that is put %s',
  async (_, midnight, quiet) => {
    const { world, north } = await open(5, '01:30', '02:30');
    const began = world.clock.wallTime();
    north.minute = () => {
      const [hours = 0, minutes = 0] = BERLIN.format(midnight + world.clock.wallTime() - began)
        .split(':')
        .map(Number);
      return hours * 60 + minutes;
    };
    north.satellite.resettled();
    const times = await exchanged(world, north, 3 * HOUR_MS);
    for (const [from, to] of quiet) {
      expect(times.filter((time) => time >= from && time < to)).toEqual([]);
      expect(
        times.some((time) => time >= to && time < to + 2),
        `right behind ${to}`,
      ).toBe(true);
    }
    const others = times.filter((time) => quiet.every(([from, to]) => time < from || time >= to));
    expect(others.length).toBeGreaterThan(12);
  },
);
