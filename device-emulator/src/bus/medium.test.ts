import { seededRandom, VirtualClock, WhorlError } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { Medium } from './medium.ts';
import type { MediumOptions } from './medium-options.ts';
import type { Station } from './station.ts';
import { memoryPair } from './memory.ts';

const BYTE_MS = 10_000 / 115_200;
/** What a station hears, in no way a real frame: run, control byte, address, filler. */
const frameFor = (address: number, length: number): Uint8Array =>
  Uint8Array.of(9, 0x40, address, ...new Uint8Array(length - 4).fill(7), 0);

function station(address: number, answer?: Uint8Array): Station & { heard: number[]; silence: () => void } {
  const silent: (() => void)[] = [];
  const heard: number[] = [];
  return {
    address,
    heard,
    hear(stuffed) {
      heard.push(stuffed.length);
      return answer === undefined ? [] : [answer];
    },
    hearCall({ stuffed }) {
      heard.push(stuffed.length);
      return undefined;
    },
    workMs: 0,
    hand: () => undefined,
    onSilent: (listener) => silent.push(listener),
    onNews: () => undefined,
    silence: () => {
      for (const each of silent) each();
    },
  };
}

function line(options: Partial<MediumOptions> = {}) {
  const clock = new VirtualClock();
  const medium = new Medium({ clock, random: seededRandom(1), baud: 115_200, turnaroundMs: 1, ...options });
  const [gateway, far] = memoryPair();
  medium.connect(far);
  const heard: { at: number; bytes: Uint8Array }[] = [];
  gateway.onBytes((bytes) => heard.push({ at: clock.now(), bytes }));
  return { clock, medium, gateway, heard };
}

test('E2 a request takes its bytes’ time, the answer a turnaround and its own', async () => {
  const { clock, medium, gateway, heard } = line();
  medium.add(station(3, frameFor(3, 20)));
  gateway.write(frameFor(3, 12));
  await clock.run({ forMs: 100 });
  expect(heard).toHaveLength(1);
  expect(heard[0]?.at).toBeCloseTo(12 * BYTE_MS + 1 + 20 * BYTE_MS, 6);
  expect(medium.counters).toMatchObject({ framesToTerminals: 1, framesToGateway: 1, bytesToGateway: 20 });
  expect(medium.counters.busyMs).toBeCloseTo(32 * BYTE_MS, 6);
});

test('E2 what the gateway writes in one go leaves one after the other', async () => {
  const { clock, medium, gateway } = line();
  const three = station(3);
  medium.add(three);
  for (let i = 0; i < 4; i += 1) gateway.write(frameFor(3, 100));
  await clock.run({ forMs: 250 * BYTE_MS });
  expect(three.heard).toHaveLength(2);
  await clock.run({ forMs: 250 * BYTE_MS });
  expect(three.heard).toHaveLength(4);
});

test('E2 only the station that is asked hears a frame, all hear a broadcast', async () => {
  const { clock, medium, gateway } = line();
  const [one, two] = [station(1), station(2)];
  medium.add(one);
  medium.add(two);
  gateway.write(frameFor(2, 12));
  gateway.write(Uint8Array.of(2, 0x40, 3, 1, 1, 0));
  await clock.run({ forMs: 100 });
  expect([one.heard.length, two.heard.length]).toEqual([1, 2]);
});

test('E2 two terminals with one address spoil each other’s answers', async () => {
  const { clock, medium, gateway, heard } = line();
  const answer = frameFor(5, 40);
  medium.add(station(5, answer));
  medium.add(station(5, answer));
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 100 });
  expect(medium.counters.collisions).toBe(1);
  expect(heard).toHaveLength(2);
  for (const { bytes } of heard) expect([...bytes]).not.toEqual([...answer]);
});

test('E2 only the bytes that overlap are spoilt', async () => {
  const { clock, medium, gateway, heard } = line();
  medium.add(station(5, frameFor(5, 100)));
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 12 * BYTE_MS + 1 + 50 * BYTE_MS });
  gateway.write(frameFor(6, 20));
  await clock.run({ forMs: 100 });
  const [{ bytes } = { bytes: new Uint8Array() }] = heard;
  const sound = frameFor(5, 100);
  expect([...bytes.subarray(0, 49)]).toEqual([...sound.subarray(0, 49)]);
  expect([...bytes.subarray(50, 70)]).not.toEqual([...sound.subarray(50, 70)]);
  expect([...bytes.subarray(71)]).toEqual([...sound.subarray(71)]);
});

test('E2 an echoing adapter hears what it sends', async () => {
  const { clock, gateway, heard } = line({ echo: true });
  gateway.write(frameFor(3, 12));
  await clock.run({ forMs: 100 });
  expect(heard.map(({ bytes }) => [...bytes])).toEqual([[...frameFor(3, 12)]]);
});

test('E4 a terminal that loses power in the middle of its answer leaves half of it', async () => {
  const { clock, medium, gateway, heard } = line();
  const five = station(5, frameFor(5, 100));
  medium.add(five);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 12 * BYTE_MS + 1 + 30.5 * BYTE_MS });
  five.silence();
  await clock.run({ forMs: 100 });
  // Of the 31st byte a start bit and four bits were out: the line rests high for the others.
  expect(heard.map(({ bytes }) => [bytes.length, bytes.at(-1)])).toEqual([[31, 0xf7]]);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 12 * BYTE_MS + 0.5 });
  five.silence();
  await clock.run({ forMs: 100 });
  expect(heard).toHaveLength(1);
});

test('E2 an adapter that is pulled within a byte has heard the bytes before it, and terminals the byte as it broke off', async () => {
  const { clock, medium, gateway, heard } = line();
  const said: Uint8Array[] = [];
  const five = station(5, frameFor(5, 100));
  medium.add(five);
  medium.tap((bytes, fromGateway) => fromGateway && said.push(bytes));
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 12 * BYTE_MS + 1 + 20.5 * BYTE_MS });
  medium.disconnect();
  expect(heard.map(({ bytes }) => bytes.length)).toEqual([20]);
  await clock.run({ forMs: 100 });
  const [again, far] = memoryPair();
  medium.connect(far);
  again.write(frameFor(5, 12));
  await clock.run({ forMs: 7.35 * BYTE_MS });
  medium.disconnect();
  await clock.run({ forMs: 100 });
  // Of 0x07, a start bit and two bits.
  expect(said.map((bytes) => [bytes.length, bytes.at(-1)])).toEqual([
    [12, 0],
    [8, 0xff],
  ]);
  expect(five.heard).toHaveLength(1);
});

test('E2 a driver that lets go too late spoils what begins before it has', async () => {
  const heardWith = async (lingersMs: number): Promise<number> => {
    const { clock, medium, gateway, heard } = line();
    const answer = frameFor(5, 40);
    medium.add(station(5, answer));
    medium.trouble({ lingersMs });
    gateway.write(frameFor(5, 12));
    await clock.run({ forMs: 100 });
    const sound = heard[0]?.bytes.map((byte, at) => byte ^ (answer[at] ?? 0)) ?? new Uint8Array(0);
    return sound.findIndex((byte) => byte === 0);
  };
  expect(await heardWith(0.9)).toBe(0);
  expect(await heardWith(1 + 9.5 * BYTE_MS)).toBe(10);
});

test('E2 a terminal’s driver that lets go too late spoils the request behind its answer', async () => {
  const { clock, medium, gateway, heard } = line();
  const [five, six] = [station(5, frameFor(5, 20)), station(6, frameFor(6, 20))];
  medium.add(five);
  medium.add(six);
  const heal = medium.troubleAt(five, { lingersMs: 5 });
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 50 * BYTE_MS });
  gateway.write(frameFor(6, 12));
  await clock.run({ forMs: 100 });
  expect([five.heard.length, six.heard.length, heard.length]).toEqual([1, 0, 1]);
  heal();
  gateway.write(frameFor(6, 12));
  gateway.write(frameFor(6, 12));
  await clock.run({ forMs: 100 });
  expect(six.heard.length).toBeGreaterThan(0);
});

test('E4 who is unplugged hears and says nothing, and a frame that began before the plug is missed', async () => {
  const { clock, medium, gateway, heard } = line();
  const five = station(5, frameFor(5, 10));
  medium.add(five);
  medium.setPlugged(five, false);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 6 * BYTE_MS });
  medium.setPlugged(five, true);
  await clock.run({ forMs: 100 });
  expect(heard).toHaveLength(0);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 100 });
  expect(heard).toHaveLength(1);
});

test('E4 a loose wire: the port stays open and nothing crosses', async () => {
  const { clock, medium, gateway, heard } = line();
  const five = station(5, frameFor(5, 10));
  medium.add(five);
  medium.setWired(false);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 100 });
  expect([five.heard.length, heard.length]).toEqual([0, 0]);
  medium.setWired(true);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 100 });
  expect([five.heard.length, heard.length]).toEqual([1, 1]);
});

test('E4 noise fills the line for its time, spoils what is said meanwhile, and then it is quiet', async () => {
  const { clock, medium, gateway, heard } = line();
  const five = station(5);
  medium.add(five);
  medium.noise(50);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 1000 });
  const noise = heard.reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(noise).toBe(medium.counters.noiseBytes);
  expect(noise * BYTE_MS).toBeCloseTo(50, -1);
  expect(medium.counters.collisions).toBeGreaterThan(0);
  // The first frame after noise ends the run that the noise began; from the next on all is well.
  gateway.write(frameFor(5, 12));
  five.heard.length = 0;
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 100 });
  expect(five.heard.at(-1)).toBe(11);
});

test('E4 bit errors come at their rate, the same from the same seed, and never touch the sender’s bytes', async () => {
  const run = async (): Promise<number> => {
    const { clock, medium, gateway } = line();
    medium.setBitErrors(0.001);
    const frame = frameFor(5, 1000);
    const before = frame.slice();
    for (let i = 0; i < 50; i += 1) gateway.write(frame);
    await clock.run({ forMs: 60_000 });
    expect(frame).toEqual(before);
    return medium.counters.flippedBits;
  };
  const flipped = await run();
  expect(flipped).toBeGreaterThan(300);
  expect(flipped).toBeLessThan(500);
  expect(await run()).toBe(flipped);
});

test('E2 without a baud rate bytes take no time and do not collide; noise needs a wire', async () => {
  const { clock, medium, gateway, heard } = line({ baud: undefined });
  medium.add(station(1, frameFor(1, 900)));
  medium.add(station(2, frameFor(2, 900)));
  gateway.write(Buffer.concat([frameFor(1, 12), frameFor(2, 12)]));
  await clock.run({ forMs: 10 });
  expect(heard.map(({ at, bytes }) => [at, bytes.length])).toEqual([
    [1, 900],
    [1, 900],
  ]);
  expect(medium.counters.collisions).toBe(0);
  expect(() => medium.noise(5)).toThrow(WhorlError);
});

test('E1 a new connection replaces the one before', async () => {
  const { clock, medium, gateway, heard } = line();
  const five = station(5, frameFor(5, 10));
  medium.add(five);
  const [second, far] = memoryPair();
  medium.connect(far);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 100 });
  expect([five.heard.length, heard.length]).toEqual([0, 0]);
  second.write(frameFor(5, 12));
  await clock.run({ forMs: 100 });
  expect(five.heard).toHaveLength(1);
});

test('E4 an answer that is both spoilt and cut short arrives as far as it got', async () => {
  const { clock, medium, gateway, heard } = line();
  const five = station(5, frameFor(5, 100));
  medium.add(five);
  gateway.write(frameFor(5, 12));
  await clock.run({ forMs: 12 * BYTE_MS + 1 + 2.5 * BYTE_MS });
  gateway.write(frameFor(6, 90));
  await clock.run({ forMs: 10 * BYTE_MS });
  gateway.write(frameFor(6, 90));
  five.silence();
  await clock.run({ forMs: 100 });
  // And the byte in which it broke off.
  expect(heard.map(({ bytes }) => bytes.length)).toEqual([13]);
});

test('E1 what an old connection left half said does not spoil the first frame of the next', async () => {
  const { clock, medium, gateway } = line({ baud: undefined });
  const five = station(5);
  medium.add(five);
  gateway.write(frameFor(5, 12).subarray(0, 7));
  const [second, far] = memoryPair();
  medium.connect(far);
  second.write(frameFor(5, 12));
  await clock.run({ forMs: 10 });
  expect(five.heard).toEqual([11]);
});

test('E2 on a connection of its own a terminal with news raises its hand unasked, once until it is asked; on a wire it waits', async () => {
  const HAND = Uint8Array.of(4, 0x5a, 3, 7, 0);
  const handsOf = async (baud: number | undefined): Promise<number[]> => {
    const { clock, medium, gateway, heard } = line({ baud });
    let news: () => void = () => undefined;
    const one = station(3, frameFor(3, 20));
    medium.add({ ...one, hand: () => HAND, onNews: (listener) => void (news = listener) });
    const counts: number[] = [];
    for (const act of [() => news(), () => news(), () => gateway.write(frameFor(3, 12)), () => news()]) {
      act();
      await clock.run({ forMs: 50 });
      counts.push(heard.filter(({ bytes }) => bytes[1] === 0x5a).length);
    }
    return counts;
  };
  expect(await handsOf(undefined)).toEqual([1, 1, 1, 2]);
  expect(await handsOf(115_200)).toEqual([0, 0, 0, 0]);
});
