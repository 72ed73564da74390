import { VirtualClock } from '@whorl/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Front } from '../firmware/front.ts';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';
import { Asker, PAIRING_KEY } from '../testing/bench.ts';
import { download, end, greetPortable, MIRA, person, TASK } from '../testing/portable.ts';
import type { TerminalPlace } from './action.ts';
import { terminalAction } from './actions.ts';
import { showDetails } from './show.ts';

let fleet: Fleet;
let place: TerminalPlace;
let asker: Asker;

beforeEach(async () => {
  const clock = new VirtualClock();
  const terminals = [{ name: 'site', address: 7, model: 'portable-5k' }];
  fleet = await startFleet(
    fleetSchema.parse({ lines: [{ name: 'dock', listen: { port: 0 }, terminals }] }),
    clock,
  );
  const found = fleet.terminal('site');
  place = { ...found, front: new Front(found.terminal, clock, () => undefined), clock };
  place.terminal.setKey(PAIRING_KEY);
  asker = new Asker(place.terminal);
  asker.hello();
  greetPortable(asker);
});

afterEach(() => fleet.stop());

const act = async (name: string, given: object = {}): Promise<object | undefined> =>
  terminalAction(name)?.act(place, given);

const shown = (): string =>
  showDetails({
    ...{ name: 'site', line: 'dock', place: '', address: 7, serial: '', model: '', power: 'on' },
    ...{ plugged: true, users: 0, failure: null, display: place.terminal.display },
  });

test('E6 P4 P9 every button has an action, and the display is shown', async () => {
  const shows = `[online] ${MIRA.name} (${MIRA.id}) is logged in`;
  expect(await act('log-in', { operator: MIRA.id, pin: MIRA.pin })).toEqual({ shows });
  await act('enrol', { user: 9, name: 'Nine' });
  expect(shown()).toContain('unsent    9 enrolled');
  await act('sync-options', { automatic: 'on', files: 'off' });
  await expect(act('sync', { mode: 'download', task: '3' })).rejects.toMatchObject({
    code: 'TERMINAL_UNSENT',
  });
  expect(shown()).toContain('[question] 1 change was not sent');
  expect(await act('confirm')).toEqual({ shows: '[synchronise] preparing' });
  expect(await act('cancel')).toEqual({ shows });
  await act('sync', { task: TASK });
  asker.get(
    'journal.settle',
    { answers: [{ seq: 1, result: 'conflict', reason: 'two people' }] },
    'journal.settled',
  );
  download(asker, [person(1)]);
  end(asker, 'done');
  expect(shown()).toMatch(/task +North gate \(3\)/);
  expect(shown()).toMatch(/user 9 +conflict: two people/);
  expect(shown()).toContain('[green] ');
  expect(await act('close')).toEqual({ shows });
  await act('mode', { mode: 'offline' });
  await act('log-out');
  expect(shown()).toMatch(/mode +offline\n/);
});

test('E6 P7 a dock is supply and line, each alone when it is asked for', async () => {
  const { terminal, line } = place;
  await act('undock');
  expect([terminal.display.supply, line.medium.isPlugged(terminal)]).toEqual([false, false]);
  await act('dock');
  expect([terminal.display.supply, line.medium.isPlugged(terminal)]).toEqual([true, true]);
  await act('supply', { present: 'off' });
  expect([terminal.display.supply, line.medium.isPlugged(terminal)]).toEqual([false, true]);
  await expect(act('supply', { present: 'maybe' })).rejects.toMatchObject({ code: 'CONTROL_REQUEST' });
});
