import { addressOf } from '@whorl/device-emulator';
import { FrameSplitter, invites, seededRandom, wireMs } from '@whorl/protocol';
import type { VirtualClock } from '@whorl/protocol';
import { memoryRig } from '../rig/memory.ts';
import { during } from '../rig/settled.ts';
import type { Rig, RigPlan } from '../rig/rig.ts';
import { fingerUser, fullUser } from './users.ts';

type LineRig = Rig & { readonly clock: VirtualClock };

const NAMES = Array.from({ length: 32 }, (_, i) => `terminal-${i + 1}`);
/** The terminal that bulk work is for. */
const BUSY_GROUP = 5;

/** A line of 32 terminals in virtual time, nothing under way on it. */
async function line32(plan: Partial<RigPlan> = {}): Promise<LineRig> {
  const floor = NAMES.map((name, i) => ({
    name,
    model: 'face-100k' as const,
    groups: i === 0 ? [BUSY_GROUP] : [],
  }));
  const rig = await memoryRig({ lines: { floor }, latencyMs: 0, ...plan });
  await rig.until(
    'all 32 online',
    async () => (await rig.gateway.operations.status()).terminals.every(({ state }) => state === 'online'),
    { withinMs: 600_000 },
  );
  await rig.pass(5_000);
  return rig;
}

/** What a line of many makes of a terminal's wish to speak, and of one that dies. */
export async function benchRounds({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  return {
    'line.round32_ms': await round(115_200),
    'line.round32_9600_ms': await round(9_600),
    'line.event_p99_ms': await eventP99(quick ? 60 : 400, false),
    'line.event_bulk_p99_ms': await eventP99(quick ? 60 : 400, true),
    ...(await deadTerminal()),
    'line.fanout31': (await fanOut(31)) / (await fanOut(1)),
    'line.noise_goodput': await noiseGoodput(quick ? 60 : 300),
  };
}

/** From the first byte of a roll call to the last of its 32 answers, milliseconds; the longest seen. */
async function round(baud: number): Promise<number> {
  const rig = await line32({ baud, turnaroundMs: 0 });
  try {
    let begun = 0;
    let answers = 0;
    let longest = 0;
    rig.media.get('floor')?.tap((bytes, fromGateway) => {
      const now = rig.clock.now();
      if (fromGateway) {
        begun = now - wireMs(bytes.length, baud);
        answers = 0;
        return;
      }
      answers += 1;
      if (answers === NAMES.length) longest = Math.max(longest, now - begun);
    });
    await rig.pass(20_000);
    return longest;
  } finally {
    await rig.close();
  }
}

/** From a card held to a terminal until its event is stored, milliseconds; 99 of 100 are faster. */
async function eventP99(taps: number, busy: boolean): Promise<number> {
  const rig = await line32();
  const random = seededRandom(5);
  const began = new Map<string, number>();
  const took: number[] = [];
  rig.gateway.hub.subscribe((event) => {
    const at = event.type === 'access.denied' ? began.get(event.terminal ?? '') : undefined;
    if (at === undefined) return;
    began.delete(event.terminal ?? '');
    took.push(rig.clock.now() - at);
  });
  try {
    if (busy) await startBulk(rig, taps);
    for (let tap = 0; tap < taps; tap += 1) {
      const name = NAMES[1 + random.below(NAMES.length - 1)] ?? '';
      began.set(name, rig.clock.now());
      rig.terminal(name).tap({ user: 1 });
      await rig.pass(300 + random.below(300) + random.below(1000) / 1000);
    }
    await rig.until('all events stored', () => took.length === taps);
    return took.sort((a, b) => a - b)[Math.ceil(0.99 * took.length) - 1] ?? Number.NaN;
  } finally {
    await rig.close();
  }
}

/** Full users for one terminal, as many as keep the line busy while so many cards are held to the others. */
async function startBulk(rig: LineRig, taps: number): Promise<void> {
  const { operations } = rig.gateway;
  await operations.changeSettings({ autoSync: 'access-groups' });
  for (let id = 1; id <= 20 + taps / 3; id += 1) {
    const { id: _, ...set } = fullUser(id);
    await operations.addUser(id, { set: { ...set, groups: [BUSY_GROUP] }, clear: [] });
  }
  await rig.pass(3_000);
}

/** Seconds in which a full user reaches so many of 31 terminals. */
async function fanOut(reached: number): Promise<number> {
  const names = NAMES.slice(0, 31);
  const floor = names.map((name, i) => ({
    name,
    model: 'face-100k' as const,
    groups: i < reached ? [1] : [2],
  }));
  const rig = await memoryRig({ lines: { floor }, latencyMs: 0 });
  try {
    const { operations, store } = rig.gateway;
    const online = async (): Promise<boolean> =>
      (await operations.status()).terminals.every(({ state }) => state === 'online');
    await rig.until('all online', online, { withinMs: 600_000 });
    await operations.changeSettings({ autoSync: 'access-groups' });
    await rig.pass(5_000);
    const began = rig.clock.now();
    const { id, ...set } = fullUser(7);
    await operations.addUser(id, { set: { ...set, groups: [1] }, clear: [] });
    let ended = began;
    await rig.until('verified on all', async () => {
      ended = rig.clock.now();
      const rows = await store.ledger({ user: id, limit: 100 });
      return rows.filter(({ state }) => state === 'verified').length === reached;
    });
    return (ended - began) / 1000;
  } finally {
    await rig.close();
  }
}

/** What a terminal without power costs its neighbours, and how soon it is back. */
async function deadTerminal(): Promise<Record<string, number>> {
  const rig = await line32();
  try {
    let last = rig.clock.now();
    let worst = 0;
    let answered: number | undefined;
    const splitter = new FrameSplitter();
    rig.media.get('floor')?.tap((bytes, fromGateway) => {
      const now = rig.clock.now();
      splitter.push(bytes, (stuffed) => {
        if (fromGateway && invites(stuffed)) {
          worst = Math.max(worst, now - last);
          last = now;
        } else if (!fromGateway && addressOf(stuffed) === 9) answered ??= now;
      });
    });
    await rig.pass(60_000);
    const alive = worst;
    worst = 0;
    const terminal = rig.terminal('terminal-9');
    terminal.powerOff();
    await rig.pass(60_000);
    const gap = worst - alive;
    let returned = 0;
    let slowest = 0;
    terminal.watch((noticed) => {
      if (noticed.kind !== 'power' || noticed.power !== 'on') return;
      returned = rig.clock.now();
      answered = undefined;
    });
    for (const awayMs of [10_000, 20_700, 31_300, 40_100, 60_900]) {
      terminal.powerOn();
      await rig.until('an answer', () => returned > 0 && answered !== undefined);
      slowest = Math.max(slowest, (answered ?? Number.NaN) - returned);
      terminal.powerOff();
      returned = 0;
      await rig.pass(awayMs);
    }
    return { 'line.dead_gap_ms': gap, 'line.readmit_s': slowest / 1000 };
  } finally {
    await rig.close();
  }
}

/** Bulk push with one byte in 10,000 damaged ÷ without; 0 when a session was lost to it. */
async function noiseGoodput(users: number): Promise<number> {
  const seconds: number[] = [];
  for (const rate of [0, 1 / 80_000]) {
    const rig = await memoryRig({
      lines: { floor: [{ name: 'terminal', model: 'face-100k' }] },
      latencyMs: 0,
    });
    try {
      const { operations, store } = rig.gateway;
      await operations.changeSettings({ autoSync: 'off' });
      for (let id = 1; id <= users; id += 1) {
        const { id: _, ...set } = fingerUser(id);
        await operations.addUser(id, { set, clear: [] });
      }
      await rig.pass(3_000);
      rig.media.get('floor')?.setBitErrors(rate);
      const began = rig.clock.now();
      await during(rig, 'all in scope', operations.changeSettings({ autoSync: 'all' }));
      const verified = async (): Promise<boolean> =>
        ((await store.ledgerCounts()).get('terminal')?.verified ?? 0) === users;
      await rig.until('all verified', verified, { withinMs: 3_600_000 });
      if ((await rig.events()).some((event) => event.type === 'terminal.offline')) return 0;
      seconds.push((rig.clock.now() - began) / 1000);
    } finally {
      await rig.close();
    }
  }
  const [clean = Number.NaN, noisy = Number.NaN] = seconds;
  return clean / noisy;
}
