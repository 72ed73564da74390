import { fitting, recordDigest, seededRandom, toggled, NO_DIGEST } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { SimulatedMachine } from '../powerloss/machine.ts';
import { allOnline } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import type { MemoryRig } from '../rig/memory.ts';
import { LOG_IN, northGate, PORTABLE_SITE } from '../rig/portable.ts';
import { settled } from '../rig/settled.ts';

/** More of them with `WHORL_INTERRUPTIONS=1000`. */
const ROUNDS = Number(process.env['WHORL_INTERRUPTIONS'] ?? 40);
const USERS = 30;

/** What breaks a session off. */
const INTERRUPTIONS: Readonly<Record<string, (rig: MemoryRig) => Promise<void>>> = {
  async 'the operator cancels'(rig) {
    const { display } = rig.terminal('handheld');
    if (display.window?.kind === 'progress') rig.terminal('handheld').press({ button: 'cancel' });
  },
  async 'the gateway cancels'(rig) {
    await settled(rig, 'cancelled', rig.gateway.tasks.cancel('handheld', 'ada'));
  },
  async 'pulled out'(rig) {
    await rig.unplug('dock');
    await rig.pass(300);
    await rig.plug('dock');
  },
  async 'a power cut'(rig) {
    rig.terminal('handheld').powerOff();
    await rig.pass(100);
    rig.terminal('handheld').powerOn();
    await rig.until('it has started', () => rig.terminal('handheld').power === 'on');
  },
  async 'the gateway ends'(rig) {
    await rig.restartGateway();
  },
  /** Worse than a kill: what was not synced may be gone from its disk, too. */
  async 'the gateway’s machine loses power'(rig) {
    await rig.losePower();
  },
};

test(
  `P10 P12 whatever breaks a synchronise off, the terminal holds the old or the new database, and each change is merged once (${ROUNDS} times)`,
  { timeout: 30_000 + ROUNDS * 2000 },
  async () => {
    const rig = await memoryRig(PORTABLE_SITE, { machine: new SimulatedMachine({ seed: 5 }) });
    onTestFinished(() => rig.close());
    await allOnline(rig);
    const task = await northGate(rig);
    for (let id = 1; id <= USERS; id += 1) await change(rig, id, 0);
    const random = seededRandom(11);
    const made = new Map<number, number>();
    await session(rig, task, async () => undefined);
    for (let round = 1; round <= ROUNDS; round += 1) {
      await prepare(rig, random, { round, made });
      const names = Object.keys(INTERRUPTIONS);
      const name = names[random.below(names.length)] ?? '';
      const after = random.below(700);
      await session(rig, task, async () => {
        await rig.pass(after);
        await INTERRUPTIONS[name]?.(rig);
      });
      await check(rig, made, `round ${round}: ${name} after ${after} ms`);
    }
    await session(rig, task, async () => undefined);
    expect(rig.terminal('handheld').display.unsent).toEqual([]);
    expect(rig.terminal('handheld').tableDigest).toBe(await wanted(rig));
    await check(rig, made, 'in the end');
  },
);

/** A user of the slice at the gateway, another one than before. */
async function change(rig: MemoryRig, id: number, round: number): Promise<void> {
  const set = {
    name: `User ${id} ${round}`,
    groups: [1],
    'card.0': { format: 1, number: Uint8Array.of(1, id, round >> 8, round & 0xff) },
  };
  if (round === 0) await rig.gateway.operations.addUser(id, { set, clear: [] });
  else await rig.gateway.operations.editUser(id, { set, clear: [] });
}

/** Changes at both ends. @param done.made how often each user was enrolled at the terminal */
async function prepare(
  rig: MemoryRig,
  random: Random,
  { round, made }: { readonly round: number; readonly made: Map<number, number> },
): Promise<void> {
  for (let changes = random.below(20); changes > 0; changes -= 1)
    await change(rig, 1 + random.below(USERS), round);
  const enrolled = 1000 + round;
  atHand(rig);
  rig.terminal('handheld').enrol({ user: enrolled, groups: [1], card: 0 });
  made.set(enrolled, 1);
}

/** Somebody is logged in, and no window in front. */
function atHand(rig: MemoryRig): void {
  const handheld = rig.terminal('handheld');
  if (handheld.display.window?.kind === 'message') handheld.press({ button: 'close' });
  if (handheld.display.operator === undefined) handheld.press(LOG_IN);
}

/** Runs a synchronise with something happening on the way, until it is over, or has gone on to its end. */
async function session(rig: MemoryRig, task: number, meanwhile: () => Promise<void>): Promise<void> {
  const handheld = rig.terminal('handheld');
  atHand(rig);
  const before = handheld.tableDigest;
  handheld.press({ button: 'sync', mode: 'synchronise', task });
  await meanwhile();
  expect([before, await wanted(rig)]).toContain(handheld.tableDigest);
  await rig.until(
    'the session to be over',
    async () => {
      const [newest] = await rig.gateway.tasks.syncs({ limit: 1 });
      const online = (await rig.gateway.operations.status()).terminals.every(
        ({ state }) => state === 'online',
      );
      const idle = handheld.power === 'on' && handheld.display.window?.kind !== 'progress';
      return online && idle && newest?.state !== 'running';
    },
    { withinMs: 120_000 },
  );
  expect([before, await wanted(rig)]).toContain(handheld.tableDigest);
}

/** Digest of the slice as the gateway has it. */
async function wanted(rig: MemoryRig): Promise<string> {
  const { store } = rig.gateway;
  const { capabilities } = rig.terminal('handheld').model;
  let table: Uint8Array = NO_DIGEST;
  for (const { id } of await store.users({ group: 1, limit: 10_000 })) {
    const user = await store.user(id);
    if (user !== undefined) table = toggled(table, recordDigest(fitting(user.record, capabilities)));
  }
  return Buffer.from(table).toString('hex');
}

/** Each change is in the terminal's journal, or was merged; none twice. */
async function check(rig: MemoryRig, made: ReadonlyMap<number, number>, when: string): Promise<void> {
  const unsent = new Set(rig.terminal('handheld').display.unsent.map(({ user }) => user));
  const merged = new Map<number, number>();
  for (const { user = 0 } of await rig.gateway.store.events({ type: 'user.merged', limit: 100_000 }))
    merged.set(user, (merged.get(user) ?? 0) + 1);
  for (const user of made.keys()) {
    expect([user, when, merged.get(user) ?? 0]).toEqual([
      user,
      when,
      unsent.has(user) ? (merged.get(user) ?? 0) : 1,
    ]);
    expect(merged.get(user) ?? 0, when).toBeLessThanOrEqual(1);
  }
}
