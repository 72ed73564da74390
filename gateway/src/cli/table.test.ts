import { expect, test } from 'vitest';
import { table } from './table.ts';

const REASON = 'nobody listens there; is the terminal on, and the port right?';
const ROWS = [
  ['gate', 'closed', REASON],
  ['floor', 'open', 'serial /dev/ttyUSB0 at 115200 baud'],
];
const HEADINGS = ['LINE', 'STATE', 'OVER'];

test('a table that goes elsewhere than to a terminal has a line for each row, whole', () => {
  const lines = table(HEADINGS, ROWS, 0).split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[2]).toBe(`gate   closed  ${REASON}`);
});

test('on a terminal the last cell goes on below itself, and nothing of it is lost', () => {
  const lines = table(HEADINGS, ROWS, 60).split('\n');
  expect(lines).toEqual([
    'LINE   STATE   OVER',
    '─────  ──────  ─────────────────────────────────────────────',
    'gate   closed  nobody listens there; is the terminal on, and',
    '               the port right?',
    'floor  open    serial /dev/ttyUSB0 at 115200 baud',
  ]);
});

test('on a terminal where little is left for it the last cell stands below its row', () => {
  const lines = table(HEADINGS, ROWS, 30).split('\n');
  expect(lines).toEqual([
    'LINE   STATE',
    '    OVER',
    '─────  ──────',
    'gate   closed',
    '    nobody listens there; is',
    '    the terminal on, and the',
    '    port right?',
    'floor  open',
    '    serial /dev/ttyUSB0 at',
    '    115200 baud',
  ]);
});
