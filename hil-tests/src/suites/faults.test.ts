import { LINE_FAULTS, TERMINAL_FAULTS } from '@whorl/device-emulator';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ALL, allOnline, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import type { Rig } from '../rig/rig.ts';
import { SMALL_SITE } from '../rig/rig.ts';

const SICK = 'terminal-2';
/** It goes on for a while after it was noticed, so that a gateway has grown used to it. */
const LASTS_MS = 20_000;

/** How a fault shows at the gateway while it lasts; how soon, and how soon all is well afterwards, the catalogue tells. */
interface Expected {
  readonly given?: object;
  readonly notices: (rig: Rig, before: Seen) => Promise<boolean>;
  /** It comes while the terminal is off its line. */
  readonly apart?: true;
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
  readonly events: number;
}

async function look(rig: Rig): Promise<Seen> {
  const { lines } = await rig.gateway.operations.status();
  const { counters, roundTripMs = 0 } = lines.find(({ name }) => name === 'floor') ?? {};
  if (counters === undefined) throw new Error('there is no floor');
  const { framesBad, framesStray, retries, bytesDiscarded: discarded, opened } = counters;
  const events = (await rig.events()).length;
  return { framesBad, framesStray, retries, discarded, opened, roundTripMs, events };
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
  async (rig: Rig, { events }: Seen): Promise<boolean> =>
    (await rig.events()).slice(events).some((event) => event.type === type && event.terminal === SICK);

const refuses =
  (reason: string) =>
  async (rig: Rig): Promise<boolean> =>
    (await rig.gateway.store.ledger({ terminal: SICK, limit: 100 })).some((row) => row.reason === reason);

/** What has given up is tried again by hand, as somebody who has seen to the terminal would. */
const retry = async (rig: Rig): Promise<void> => {
  await rig.gateway.operations.retry({ terminal: SICK });
};

const OF_LINES: Readonly<Record<keyof typeof LINE_FAULTS, Expected>> = {
  noise: { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4') },
  stuck: { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4') },
  corrupt: { notices: more('framesBad', 'retries') },
  reflections: { notices: more('framesBad', 'retries') },
  loose: { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4') },
  pulled: {
    notices: async (rig) =>
      (await rig.gateway.operations.status()).lines.some(
        ({ name, state }) => name === 'floor' && state === 'closed',
      ),
  },
  echo: { notices: more('framesStray', 'framesBad', 'discarded') },
  'wrong-baud': { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4') },
  held: { notices: more('roundTripMs', 'retries') },
  lingers: { notices: isOffline('terminal-1', SICK, 'terminal-3', 'terminal-4') },
  clipped: { notices: more('retries') },
};

const OF_TERMINALS: Readonly<Record<keyof typeof TERMINAL_FAULTS, Expected>> = {
  deaf: { notices: isOffline(SICK) },
  mute: { notices: isOffline(SICK) },
  late: { notices: more('framesStray', 'framesBad', 'retries') },
  short: { notices: more('retries', 'framesBad') },
  twice: { notices: more('framesStray') },
  garbled: { notices: more('framesBad') },
  lingers: { notices: more('retries') },
  'wrong-address': { given: { address: 3 }, notices: isOffline(SICK) },
  twin: { notices: more('framesBad', 'framesStray', 'retries') },
  pulled: { notices: isOffline(SICK) },
  reboots: { notices: told('terminal.offline') },
  'power-cut': { notices: told('terminal.offline') },
  'flash-fails': { notices: refuses('refused'), after: retry },
  'memory-full': { notices: refuses('capacity-full'), after: retry },
  'slots-full': { notices: refuses('format-mismatch'), after: retry },
  'wrong-format': { notices: refuses('format-mismatch'), after: retry },
  'log-wraps': { given: { records: 400 }, notices: told('terminal.log.gap'), apart: true },
  'clock-jumps': { notices: told('terminal.clock.wrong'), apart: true },
};

/** A site whose terminals keep few log records, so that a log can wrap. */
const SITE = {
  lines: {
    ...SMALL_SITE.lines,
    floor: SMALL_SITE.lines['floor']?.map((one) => ({ ...one, logs: 200 })) ?? [],
  },
};

async function survives(on: string, fault: string, expected: Expected): Promise<void> {
  const told = (on === SICK ? TERMINAL_FAULTS : LINE_FAULTS)[fault];
  if (told === undefined) throw new Error(`${fault} is not in the catalogue`);
  const rig = await memoryRig(SITE);
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const before = await look(rig);
  if (expected.apart === true) await rig.unplug('floor');
  await rig.faults.begin(rig.target(on), { fault, given: expected.given ?? {} });
  if (expected.apart === true) await rig.plug('floor');
  // Somebody is enrolled meanwhile, elsewhere and, where it can be, at the very terminal.
  rig.terminal('terminal-6').enrol({ user: 60, name: 'Elsewhere', groups: [1], fingers: 3 });
  await rig.until(`${fault} noticed: ${told.noticed.as}`, () => expected.notices(rig, before), told.noticed);
  await rig.pass(LASTS_MS);
  const began = rig.clock.now();
  await rig.faults.heal(on);
  await expected.after?.(rig);
  const left = (): number => began + told.wellMs - rig.clock.now();
  await verifiedOn(rig, 60, ALL, left());
  await rig.until(
    `all online again after ${fault}`,
    async () =>
      rig.terminal(SICK).power === 'on' &&
      (await rig.gateway.operations.status()).terminals.every(({ state }) => state === 'online'),
    { withinMs: left() },
  );
  rig.terminal(SICK).enrol({ user: 20, name: 'Afterwards', groups: [1], fingers: 2 });
  await verifiedOn(rig, 20, ALL, told.wellMs);
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
