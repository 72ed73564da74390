import { addressOf } from '@whorl/device-emulator';
import type { Terminal } from '@whorl/device-emulator';
import type { CompareReport, Store } from '@whorl/gateway';
import { encodeUser, readRecord, seededRandom } from '@whorl/protocol';
import type { Random, UserRecord } from '@whorl/protocol';
import { memoryRig } from './memory.ts';
import type { MemoryRig } from './memory.ts';
import { during } from './settled.ts';

export interface WeekPlan {
  /** With a name and a card each. */
  readonly users: number;
  readonly lines: number;
  readonly terminalsPerLine: number;
  /** What people do at terminals while the gateway is off. */
  readonly edits: number;
  readonly seed: number;
}

/** Bytes of one terminal: what was said to it alone, and by it, without polls. */
export interface WeekTerminal {
  readonly name: string;
  readonly bytes: number;
  /** Why its log did not tell all, when it did not. */
  readonly doubt?: string;
  /** Users fetched from it. */
  readonly fetched: number;
  /** Users written to it. */
  readonly written: number;
}

/** What lines carried in a while. */
interface Carried {
  /** All of it, polls included. */
  readonly bytes: number;
  /** All lines together were busy, seconds. */
  readonly lineSeconds: number;
  /** Until everything was done, seconds. */
  readonly seconds: number;
}

export interface WeekResult {
  readonly edits: Readonly<Record<Deed, number>>;
  /** From the start of the gateway until everybody had everything. */
  readonly caughtUp: Carried & { readonly terminals: readonly WeekTerminal[] };
  /** A comparison of every terminal that somebody asks for then. */
  readonly compared: Carried;
  readonly reports: readonly CompareReport[];
}

/** Each of another user: what a person can do at a terminal. */
const DEEDS = ['card', 'card', 'card', 'card', 'card', 'card', 'new', 'deleted', 'name'] as const;
type Deed = (typeof DEEDS)[number];

const WEEK_MS = 7 * 86_400_000;
const BAUD = 115_200;
/** Records that the ring of the first terminal of each line keeps. */
const SHORT_LOG = 400;
/** Shorter frames are polls, and answers that say nothing. */
const POLL_BYTES = 6;
const PATIENCE = { withinMs: 12 * 3_600_000 };

/**
 * A gateway that is off for a week in which people work at the terminals, in virtual time: the ring of the first
 * terminal of each line is overwritten meanwhile, the log of the second is cleared, the others tell all.
 */
export async function weekAway(plan: WeekPlan): Promise<WeekResult> {
  const rig = await memoryRig({ lines: linesFor(plan), baud: BAUD, latencyMs: 0, seed: plan.seed });
  try {
    await rig.until('all online', () => allRead(rig), PATIENCE);
    const random = seededRandom(plan.seed);
    const edits: Record<Deed, number> = { card: 0, new: 0, deleted: 0, name: 0 };
    const meters: Meter[] = [];
    await rig.whileOff(async (store) => {
      await people(rig, store, plan.users);
      for await (const deed of week(rig, plan, random)) edits[deed] += 1;
      meters.push(...[...rig.media.keys()].map((line) => new Meter(rig, line)));
    });
    const caughtUp = await carried(rig, () => rig.until('all in line', () => inLine(rig), PATIENCE));
    const terminals = await perTerminal(rig, meters);
    const reports: CompareReport[] = [];
    const compared = await carried(rig, async () => {
      for (const name of rig.terminals.keys())
        reports.push(await during(rig, 'compared', rig.gateway.operations.compare(name, {})));
    });
    return { edits, reports, compared, caughtUp: { ...caughtUp, terminals } };
  } finally {
    await rig.close();
  }
}

function linesFor({ users, lines, terminalsPerLine, edits }: WeekPlan) {
  const model = { model: 'face-100k', capacity: users + edits } as const;
  return Object.fromEntries(
    Array.from({ length: lines }, (_, line) => [
      `line-${line + 1}`,
      Array.from({ length: terminalsPerLine }, (_, index) => ({
        ...{ name: `terminal-${line + 1}-${index + 1}`, ...model },
        ...(index === 0 ? { logs: SHORT_LOG } : {}),
      })),
    ]),
  );
}

function person(id: number): UserRecord {
  const number = Uint8Array.of(4, id & 255, (id >> 8) & 255, (id >> 16) & 255);
  return readRecord(encodeUser({ id, name: `User ${id}`, 'card.0': { format: 1, number } }));
}

/** Everybody is at the gateway and at every terminal. What a terminal keeps of them is made once, and copied. */
async function people(rig: MemoryRig, store: Store, users: number): Promise<void> {
  const records = Array.from({ length: users }, (_, index) => person(index + 1));
  const names = [...rig.terminals.keys()];
  for (let from = 0; from < users; from += 500)
    await Promise.all(records.slice(from, from + 500).map((record) => keep(store, record, names)));
  let image: Uint8Array | undefined;
  for (const [name, terminal] of rig.terminals) {
    const flash = rig.flashes.get(name);
    if (flash === undefined) continue;
    const before = flash.read();
    if (image === undefined) {
      terminal.load(records);
      image = flash.read().subarray(before.length);
      continue;
    }
    terminal.powerOff();
    flash.replace([before, image]);
    terminal.powerOn();
    await rig.until('started', () => terminal.power === 'on');
    flash.read();
  }
}

function keep(store: Store, record: UserRecord, terminals: readonly string[]): Promise<unknown> {
  const by = { origin: 'gateway', time: 0, since: 1 } as const;
  const row = { user: record.id, want: 'present', state: 'verified', version: 1, attempts: 0 } as const;
  return store.saveUser({
    ...{ user: record.id, from: 0, events: [], time: 0 },
    next: { record, version: 1, provenance: new Map([...record.fields.keys()].map((field) => [field, by])) },
    ledger: terminals.map((terminal) => ({ ...row, terminal, checked: 0 })),
  });
}

async function* week(rig: MemoryRig, plan: WeekPlan, random: Random): AsyncGenerator<Deed> {
  const names = [...rig.terminals.keys()];
  const touched = new Set<number>();
  let newcomers = 0;
  for (let edit = 0; edit < plan.edits; edit += 1) {
    await rig.pass(WEEK_MS / plan.edits);
    const terminal = rig.terminal(names[random.below(names.length)] ?? '');
    let user = 1 + random.below(plan.users);
    while (touched.has(user)) user = 1 + random.below(plan.users);
    touched.add(user);
    const deed = DEEDS[random.below(DEEDS.length)] ?? 'card';
    if (deed === 'new') newcomers += 1;
    act(terminal, deed, deed === 'new' ? plan.users + newcomers : user);
    yield deed;
  }
  for (const [line, members] of Object.entries(linesFor(plan))) {
    const [wraps, clears] = members;
    for (let tap = 0; tap < SHORT_LOG + 20; tap += 1) rig.terminal(wraps?.name ?? line).tap({ user: 1 });
    if (clears !== undefined) rig.terminal(clears.name).clearLog();
  }
}

function act(terminal: Terminal, deed: Deed, user: number): void {
  switch (deed) {
    case 'card':
      terminal.enrol({ user, card: 1 });
      break;
    case 'new':
      terminal.enrol({ user, name: `New ${user}`, card: 0 });
      break;
    case 'deleted':
      terminal.remove(user);
      break;
    case 'name':
      terminal.edit({ user, set: { name: `Another ${user}` } });
  }
}

/** Counts what is said to each terminal of a line, and by it. */
class Meter {
  readonly line: string;
  /** By address. */
  readonly bytes = new Map<number, number>();

  constructor(rig: MemoryRig, line: string) {
    this.line = line;
    rig.media.get(line)?.tap((frame) => {
      const address = frame.length > POLL_BYTES ? addressOf(frame) : undefined;
      if (address !== undefined) this.bytes.set(address, (this.bytes.get(address) ?? 0) + frame.length);
    });
  }
}

async function perTerminal(rig: MemoryRig, meters: readonly Meter[]): Promise<WeekTerminal[]> {
  const events = await rig.gateway.store.events({ limit: 1_000_000 });
  const about = Map.groupBy(events, ({ terminal }) => terminal ?? '');
  return [...rig.terminals].map(([name, { address }]) => {
    const told = about.get(name) ?? [];
    const meter = meters.find(({ line }) => name.startsWith(line.replace('line', 'terminal') + '-'));
    const compared = told.flatMap((event) => (event.type === 'terminal.compared' ? [event.data.cause] : []));
    return {
      ...{ name, bytes: meter?.bytes.get(address) ?? 0 },
      ...(compared[0] === undefined ? {} : { doubt: compared.join() }),
      fetched: told.filter(({ type }) => type === 'user.merged').length,
      written: told.filter(
        ({ type, origin }) =>
          origin === 'gateway' && (type === 'user.update.succeeded' || type === 'user.enrol.succeeded'),
      ).length,
    };
  });
}

async function carried(rig: MemoryRig, work: () => Promise<unknown>): Promise<Carried> {
  const total = () => {
    const counters = [...rig.media.values()].map((medium) => medium.counters);
    return {
      bytes: counters.reduce((sum, one) => sum + one.bytesToTerminals + one.bytesToGateway, 0),
      busyMs: counters.reduce((sum, one) => sum + one.busyMs, 0),
      now: rig.clock.now(),
    };
  };
  const before = total();
  await work();
  const after = total();
  return {
    bytes: after.bytes - before.bytes,
    lineSeconds: (after.busyMs - before.busyMs) / 1000,
    seconds: (after.now - before.now) / 1000,
  };
}

async function allRead(rig: MemoryRig): Promise<boolean> {
  const { terminals } = await rig.gateway.operations.status();
  const rows = await rig.gateway.store.terminals();
  return (
    terminals.every(({ state }) => state === 'online') &&
    rows.length === terminals.length &&
    rows.every(({ position }) => position.id > 0)
  );
}

/** All logs are read, nobody is in doubt, and nothing is on its way. */
async function inLine(rig: MemoryRig): Promise<boolean> {
  const { terminals, openPulls } = await rig.gateway.operations.status();
  const isBusy = terminals.some(
    ({ state, unknown, ledger }) =>
      state !== 'online' || unknown !== undefined || ledger.pending + ledger.sending + ledger.failed > 0,
  );
  if (isBusy || openPulls > 0) return false;
  const read = new Map((await rig.gateway.store.terminals()).map((row) => [row.name, row.position.id]));
  return [...rig.terminals].every(([name, one]) => (read.get(name) ?? 0) >= (one.logs(1)[0]?.id ?? 0));
}
