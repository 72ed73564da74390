import { expect, test } from 'vitest';
import { givenOf, parametersOf, sought } from './fault-form.ts';
import type { Fault } from './shapes.ts';

const LATE: Fault = {
  name: 'late',
  doc: 'some answers come late',
  field: 'A terminal that matches a face while it is asked.',
  noticed: { as: 'retries rise', withinMs: 5_000 },
  wellMs: 5_000,
  options: { by: 'how late', chance: 'of each frame to be hit' },
  parameters: { properties: { by: { default: 300 }, chance: {} } },
  lasts: true,
  wire: false,
};
const CUT: Fault = { ...LATE, name: 'power-cut', doc: 'loses power', field: '', options: {}, lasts: false };

test('what a fault takes is told with what it is unless given, and how long it lasts', () => {
  expect(parametersOf(LATE).map(({ name, unless }) => [name, unless])).toEqual([
    ['by', '300'],
    ['chance', ''],
    ['for', 'until it is put right'],
  ]);
  expect(parametersOf(CUT)).toEqual([]);
});

test('what is left empty is not given', () => {
  const typed = new Map([
    ['by', ' 40ms '],
    ['chance', ' '],
  ]);
  expect(givenOf(typed)).toEqual({ by: '40ms' });
});

test('faults are found by words of their name and sentences; those that are on come first', () => {
  const names = (search: string, active: string[] = []): string[] =>
    sought([LATE, CUT], search, active).map(({ name }) => name);
  expect(names('', ['power-cut'])).toEqual(['power-cut', 'late']);
  expect(names('face ANSWERS')).toEqual(['late']);
  expect(names('moth')).toEqual([]);
});
