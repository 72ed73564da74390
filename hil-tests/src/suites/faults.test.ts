import { LINE_FAULTS, TERMINAL_FAULTS } from '@whorl/device-emulator';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ALL, allOnline, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import type { Rig } from '../rig/rig.ts';
import { SMALL_SITE } from '../rig/rig.ts';

const SICK = 'terminal-2';
/** Long enough for retries, too short for a reader to have lost patience. */
const LASTS_MS = 20_000;

/** How a fault shows, at the gateway, while it lasts; and how soon all is well after it has ended. */
interface Expected {
  readonly given?: object;
  readonly notices: (rig: Rig, before: Seen) => Promise<boolean>;
  readonly withinMs: number;
  /** Done when the fault has been ended. */
  readonly after?: (rig: Rig) => void | Promise<void>;
}

interface Seen {
  readonly framesBad: number;
  readonly framesStray: number;
  readonly retries: number;
  readonly discarded: number;
  readonly opened: number;
  readonly roundTripMs: number;
}

async function look(rig: Rig): Promise<Seen> {
  const { lines } = await rig.gateway.operations.status();
  const { counters, roundTripMs = 0 } = lines.find(({ name }) => name === 'floor') ?? {};
  if (counters === undefined) throw new Error('there is no floor');
  const { framesBad, framesStray, retries, bytesDiscarded: discarded, opened } = counters;
  return { framesBad, framesStray, retries, discarded, opened, roundTripMs };
}

const more =
  (...what: (keyof Seen)[]) =>
  async (rig: Rig, before: Seen): Promise<boolean> => {
    const now = await look(rig);
    return what.some((one) => now[one] > before[one]);
  };

const isOffline =
  (...names: string[]) =>
  async (rig: Rig): Promise<boolean> => {
    const { terminals } = await rig.gateway.operations.status();
    return names.every((wanted) =>
      terminals.some(({ name, state }) => name === wanted && state === 'offline'),
    );
  };

const told =
  (type: string) =>
  async (rig: Rig): Promise<boolean> =>
    (await rig.events()).some((event) => event.type === type && event.terminal === SICK);

const refuses =
  (reason: string) =>
  async (rig: Rig): Promise<boolean> =>
    (await rig.gateway.store.ledger({ terminal: SICK, limit: 100 })).some((row) => row.reason === reason);

/** What has given up is tried again by hand, as somebody who has seen to the terminal would. */
const retry = async (rig: Rig): Promise<void> => {
  await rig.gateway.operations.retry({ terminal: SICK });
};

const OF_LINES: Readonly<Record<keyof typeof LINE_FAULTS, Expected>> = {
  noise: { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4'), withinMs: 10_000 },
  stuck: { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4'), withinMs: 10_000 },
  corrupt: { given: { rate: 2e-4 }, notices: more('framesBad', 'retries'), withinMs: 10_000 },
  loose: { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4'), withinMs: 10_000 },
  pulled: {
    notices: async (rig) =>
      (await rig.gateway.operations.status()).lines.some(
        ({ name, state }) => name === 'floor' && state === 'closed',
      ),
    withinMs: 15_000,
  },
  echo: { notices: more('framesStray', 'framesBad', 'discarded'), withinMs: 10_000 },
  'wrong-baud': { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4'), withinMs: 10_000 },
  held: { notices: more('roundTripMs', 'retries'), withinMs: 10_000 },
  clipped: { given: { bytes: 2, chance: 0.3 }, notices: more('retries'), withinMs: 10_000 },
};

const OF_TERMINALS: Readonly<Record<keyof typeof TERMINAL_FAULTS, Expected>> = {
  deaf: { notices: isOffline(SICK), withinMs: 10_000 },
  mute: { notices: isOffline(SICK), withinMs: 10_000 },
  late: { given: { chance: 0.3 }, notices: more('framesStray', 'framesBad', 'retries'), withinMs: 10_000 },
  short: { given: { chance: 0.3 }, notices: more('retries', 'framesBad'), withinMs: 10_000 },
  twice: { given: { chance: 1 }, notices: more('framesStray'), withinMs: 10_000 },
  garbled: { given: { chance: 0.3 }, notices: more('framesBad'), withinMs: 10_000 },
  'wrong-address': { given: { address: 3 }, notices: isOffline(SICK), withinMs: 10_000 },
  twin: { notices: more('framesBad', 'framesStray', 'retries'), withinMs: 10_000 },
  pulled: { notices: isOffline(SICK), withinMs: 10_000 },
  reboots: { given: { chance: 0.05 }, notices: told('terminal.offline'), withinMs: 15_000 },
  'power-cut': { notices: told('terminal.offline'), withinMs: 15_000 },
  'flash-fails': { notices: refuses('refused'), withinMs: 10_000, after: retry },
  'memory-full': { notices: refuses('capacity-full'), withinMs: 10_000, after: retry },
  'slots-full': { notices: refuses('format-mismatch'), withinMs: 10_000, after: retry },
  'wrong-format': { notices: refuses('format-mismatch'), withinMs: 10_000, after: retry },
  'log-wraps': { given: { records: 400 }, notices: told('terminal.log.gap'), withinMs: 60_000 },
  'clock-jumps': { notices: told('terminal.clock.wrong'), withinMs: 60_000 },
};

/** A site whose terminals keep few log records, so that a log can wrap. */
const SITE = {
  lines: {
    ...SMALL_SITE.lines,
    floor: SMALL_SITE.lines['floor']?.map((one) => ({ ...one, logs: 200 })) ?? [],
  },
};

async function survives(on: string, fault: string, expected: Expected): Promise<void> {
  const rig = await memoryRig(SITE);
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const before = await look(rig);
  const lasts = (on === SICK ? TERMINAL_FAULTS[fault] : LINE_FAULTS[fault])?.lasts === true;
  if (!lasts) await rig.unplug('floor');
  await rig.faults.begin(rig.target(on), { fault, given: expected.given ?? {} });
  if (!lasts) await rig.plug('floor');
  // Somebody is enrolled meanwhile, elsewhere and, where it can be, at the very terminal.
  rig.terminal('terminal-6').enrol({ user: 60, name: 'Elsewhere', groups: [1], fingers: 3 });
  await rig.until(`${fault} noticed`, () => expected.notices(rig, before), { withinMs: LASTS_MS * 3 });
  await rig.faults.heal(on);
  await expected.after?.(rig);
  await verifiedOn(rig, 60, ALL, expected.withinMs + 5_000);
  await rig.until(
    `all online again after ${fault}`,
    async () => (await rig.gateway.operations.status()).terminals.every(({ state }) => state === 'online'),
    { withinMs: expected.withinMs },
  );
  rig.terminal(SICK).enrol({ user: 20, name: 'Afterwards', groups: [1], fingers: 2 });
  await verifiedOn(rig, 20, ALL, expected.withinMs);
  expect(digestsOf(rig, 20).size).toBe(1);
  expect(digestsOf(rig, 60).size).toBe(1);
}

describe('E4 G2 each fault of a line shows at the gateway, and all is well soon after it has ended', () => {
  test.each(Object.entries(OF_LINES))('E4 %s', (fault, expected) => survives('floor', fault, expected));

  test('E4 every fault of the catalogue is among them', () => {
    expect(Object.keys(OF_LINES)).toEqual(Object.keys(LINE_FAULTS));
  });
});

describe('E4 G2 each fault of a terminal shows at the gateway, and all is well soon after it has ended', () => {
  test.each(Object.entries(OF_TERMINALS))('E4 %s', (fault, expected) => survives(SICK, fault, expected));

  test('E4 every fault of the catalogue is among them', () => {
    expect(Object.keys(OF_TERMINALS)).toEqual(Object.keys(TERMINAL_FAULTS));
  });
});
