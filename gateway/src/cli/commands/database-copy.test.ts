import { expect, test } from 'vitest';
import { VirtualClock } from '@whorl/protocol';
import type { MoveStep } from '../../store/postgres/moving.ts';
import { CopyTelling, showCopied } from './database-copy.ts';

/** What is written of a copy of 4,000 rows that takes a second for each thousand. */
async function told(it: { isTTY: boolean; json: boolean }): Promise<string> {
  const clock = new VirtualClock();
  let text = '';
  const out = { isTTY: it.isTTY, write: (more: string) => (text += more) };
  const telling = new CopyTelling({ out, json: it.json, clock });
  const steps: MoveStep[] = [
    ...[0, 1000, 2000, 4000].map((rows) => ({ step: 'rows', rows, of: 4000 }) as const),
    { step: 'difference', rows: 12, tookMs: 40 },
    { step: 'stop' },
    { step: 'difference', rows: 1, tookMs: 8 },
    { step: 'last' },
    { step: 'compared', rows: 3000, of: 4001 },
    { step: 'compared', rows: 4001, of: 4001 },
  ];
  for (const step of steps) {
    telling.tell(step);
    await clock.run({ forMs: 1000 });
  }
  telling.end();
  return text;
}

test('S12 who looks on sees on one line how far the copy is, what is left, and how long that takes', async () => {
  const written = (await told({ isTTY: true, json: false })).replaceAll('\x1b[K', '').split(/[\r\n]/);
  const shown = written.filter((line) => line !== '');
  expect(shown).toEqual([
    '0 of 4,000 rows copied, 4,000 left',
    '1,000 of 4,000 rows copied, 3,000 left, about 3.0 s',
    '2,000 of 4,000 rows copied, 2,000 left, about 2.0 s',
    '4,000 rows are copied.',
    '12 rows changed meanwhile, copied in 0.0 s',
    'Stop the gateway now; until then, what changes is copied every few seconds.',
    '1 row changed meanwhile, copied in 0.0 s',
    'The gateway is stopped: the last difference.',
    '3,000 of 4,001 rows compared, 1,001 left',
    '4,001 rows are compared.',
  ]);
});

test('S12 into a file goes a line a stage, and not one for each page', async () => {
  expect((await told({ isTTY: false, json: false })).trimEnd().split('\n')).toEqual([
    '4,000 rows are copied.',
    'Stop the gateway now; until then, what changes is copied every few seconds.',
    'The gateway is stopped: the last difference.',
    '4,001 rows are compared.',
  ]);
});

test('S12 programs get each step as JSON, with what is left', async () => {
  const lines = (await told({ isTTY: true, json: true })).trimEnd().split('\n');
  const steps = lines.map((line) => JSON.parse(line) as unknown);
  expect(steps).toHaveLength(10);
  expect(steps[1]).toEqual({ step: 'rows', rows: 1000, of: 4000, left: 3000, leftMs: 3000 });
  expect(steps[5]).toEqual({ step: 'stop' });
});

test('S12 in the end it is told what is where', () => {
  const tables = [{ name: 'users', rows: 4001, digest: 'ab' }];
  expect(showCopied({ rows: 4001, tables, stoppedMs: 2140, aside: 'whorl_1' }, 'postgres://db/whorl')).toBe(
    '4,001 rows are at postgres://db/whorl, in 1 table, the same as in the file, 2.1 s after the gateway was stopped. ' +
      'Start it with this configuration.\nWhat was there is kept in schema whorl_1.',
  );
});
