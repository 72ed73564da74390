import process from 'node:process';
import { decodeRun } from '@whorl/protocol';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { Telling } from './telling.ts';

const COLUMNS = 80;
/** A frame of which little is left, and the reason. */
const DAMAGED = Uint8Array.from([4, 0x78, 1, 2, 0xff, 5, 0]);

afterEach(() => vi.restoreAllMocks());

function toldOn(columns: number | undefined): string[] {
  const before = process.stdout.columns;
  Object.assign(process.stdout, { columns });
  onTestFinished(() => void Object.assign(process.stdout, { columns: before }));
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => lines.push(...text.split('\n')));
  const telling = new Telling({ json: false, idle: true });
  telling.tell({
    timeUs: 1_767_225_600_123_456,
    line: 'floor',
    direction: 'to-gateway',
    decoded: decodeRun(DAMAGED),
  });
  return lines;
}

test('what crossed a line fits the terminal, and is whole where there is none', () => {
  const whole = toldOn(undefined);
  expect(whole).toHaveLength(1);
  expect(whole[0]?.length).toBeGreaterThan(COLUMNS);
  const fitting = toldOn(COLUMNS);
  expect(fitting.length).toBeGreaterThan(1);
  expect(fitting.filter((line) => line.length > COLUMNS)).toEqual([]);
  expect(fitting.map((line) => line.trim()).join(' ')).toBe(whole[0]);
});
