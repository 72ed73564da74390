import { expect, test } from 'vitest';
import type { FleetEvent, Happened } from '../events/event.ts';
import type { Fault, Line, Terminal } from './shapes.ts';
import { activeAt, apply, found, NOTHING_YET, staleAfter, withSnapshot } from './state.ts';
import type { State } from './state.ts';

const terminal = (name: string, line: string, given: Partial<Terminal> = {}): Terminal => ({
  ...{ name, line, place: '', address: 1, serial: `WX-${name}`, model: 'finger-10k' },
  ...{ power: 'on', plugged: true, users: 3, paired: true, portable: false, docked: false },
  ...{ lines: ['Ready'], led: 'blue', released: false, enrolment: null, faults: [] },
  ...given,
});
const line = (name: string, terminals: string[]): Line => ({
  ...{ name, place: '', plugged: true, wired: true, baud: 115_200 },
  ...{ terminals, faults: [], counters: {} },
});
const fault = (name: string, lasts: boolean): Fault => ({
  ...{
    name,
    lasts,
    doc: '',
    field: '',
    noticed: { as: '', withinMs: 1 },
    wellMs: 1,
    wire: false,
    options: {},
    parameters: { properties: {} },
  },
});

const SITE: State = {
  lines: new Map([
    ['floor', line('floor', ['t1', 't2'])],
    ['gate', line('gate', ['t3'])],
  ]),
  terminals: new Map([
    ['t1', terminal('t1', 'floor')],
    ['t2', terminal('t2', 'floor', { model: 'card-500' })],
    ['t3', terminal('t3', 'gate')],
  ]),
  modules: new Map(),
  active: [],
  faults: { line: [fault('noise', true)], terminal: [fault('late', true), fault('power-cut', false)] },
};

let id = 0;
const after = (state: State, ...happened: Happened[]): State =>
  happened.reduce((before, one) => apply(before, stamped(one)), state);
const stamped = (happened: Happened): FleetEvent => ({ ...happened, id: (id += 1), time: id });

const at = { line: 'floor', terminal: 't1' };

test('the display, door, power and cable of a terminal follow what happens', () => {
  const state = after(
    SITE,
    { kind: 'display', ...at, lines: ['Welcome', 'Ada'], led: 'green', sound: 'good' },
    { kind: 'door', ...at, released: true },
    { kind: 'plug', ...at, plugged: false },
    { kind: 'dock', ...at, docked: true },
    { kind: 'power', ...at, power: 'off' },
  );
  expect(state.terminals.get('t1')).toMatchObject({
    ...{ lines: ['Welcome', 'Ada'], led: 'green', released: true },
    ...{ plugged: false, docked: true, power: 'off', users: null },
  });
  expect(state.terminals.get('t2')).toBe(SITE.terminals.get('t2'));
  expect(after(SITE, { kind: 'plug', line: 'gate', plugged: false }).lines.get('gate')?.plugged).toBe(false);
});

test('an enrolment is under way from its beginning to its end', () => {
  const steps = { user: 7, credential: 'finger.1', readings: 3 };
  const reading = after(SITE, { kind: 'enrolment', ...at, step: 'reading', ...steps, reading: 1 });
  expect(reading.terminals.get('t1')?.enrolment).toEqual({ ...steps, reading: 1 });
  const done = after(reading, { kind: 'enrolment', ...at, step: 'done', ...steps, reading: 3 });
  expect(done.terminals.get('t1')?.enrolment).toBeNull();
});

test('a fault that lasts is on until it ends; one that is over at once never is', () => {
  const on = after(
    SITE,
    { kind: 'fault', line: 'floor', fault: 'noise', active: true },
    { kind: 'fault', ...at, fault: 'late', active: true },
    { kind: 'fault', ...at, fault: 'late', active: true },
    { kind: 'fault', ...at, fault: 'power-cut', active: true },
  );
  expect([activeAt(on, 'floor'), activeAt(on, 't1')]).toEqual([['noise'], ['late']]);
  expect(activeAt(after(on, { kind: 'fault', ...at, fault: 'late', active: false }), 't1')).toEqual([]);
});

test('what is not shown, or of nobody that is known, changes nothing', () => {
  const unseen: Happened[] = [
    { kind: 'identified', ...at, user: 7, credential: 'finger.1' },
    { kind: 'power', line: 'floor', terminal: 'twin', power: 'on' },
    { kind: 'missed', after: 5 },
  ];
  expect(after(SITE, ...unseen)).toBe(SITE);
});

test('how many a terminal holds is asked anew when its log tells of users', () => {
  const log = { kind: 'log', ...at, log: 9, origin: 'gateway', user: 7, detail: 0 } as const;
  expect(staleAfter(stamped({ ...log, what: 'user.enrolled' }))).toBe('t1');
  expect(staleAfter(stamped({ ...log, what: 'access.granted' }))).toBeUndefined();
  expect(staleAfter(stamped({ kind: 'power', ...at, power: 'on' }))).toBe('t1');
  expect(withSnapshot(SITE, terminal('t1', 'floor', { users: 4 })).terminals.get('t1')?.users).toBe(4);
  expect(withSnapshot(NOTHING_YET, terminal('t1', 'floor'))).toBe(NOTHING_YET);
});

test('a search finds lines with all their terminals, and terminals by name, serial number and model', () => {
  const names = (search: string): [string, string[]][] =>
    found(SITE, search).map((one) => [one.line.name, one.terminals.map(({ name }) => name)]);
  expect(names('')).toEqual([
    ['floor', ['t1', 't2']],
    ['gate', ['t3']],
  ]);
  expect(names('FLO')).toEqual([['floor', ['t1', 't2']]]);
  expect(names('card-500')).toEqual([['floor', ['t2']]]);
  expect(names('wx-t3 ')).toEqual([['gate', ['t3']]]);
  expect(names('nobody')).toEqual([]);
});
