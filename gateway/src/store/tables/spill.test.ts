import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { NewEvent } from '../../events/catalogue.ts';
import { machine } from '../ground.ts';
import { openStore, SPILL } from '../open.ts';
import { SpillFile } from '../spill-file.ts';
import { SPILL_BYTES } from './spill.ts';

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'whorl-spill-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

function failed(user: number): NewEvent {
  const data = { code: 'STORE_FULL', reason: 'no room' };
  return { type: 'db.save.failed', time: 5, terminal: 'door', user, data };
}

test('B7 events that wait are there after a crash, and are stored once however often', async () => {
  const data = directory();
  const first = openStore({ data });
  expect(await first.spill.keep([failed(1), failed(2)])).toBe(0);
  const after = readFileSync(join(data, SPILL));
  expect(await first.spill.drain(1)).toMatchObject([{ user: 1 }, { user: 2 }]);
  await first.close();
  // As if the crash had come between the database and the file.
  writeFileSync(join(data, SPILL), after);
  const second = openStore({ data });
  expect(await second.spill.waiting()).toMatchObject([{ user: 1 }, { user: 2 }]);
  expect(await second.spill.drain(2)).toEqual([]);
  expect(await second.events({ type: 'db.save.failed', limit: 9 })).toHaveLength(2);
  expect(await second.spill.waiting()).toEqual([]);
  await second.close();
  const third = openStore({ data });
  expect(await third.spill.waiting()).toEqual([]);
  await third.close();
});

test('B7 a line that a crash cut off is left out, and what follows it is kept', () => {
  const path = join(directory(), SPILL);
  const file = new SpillFile(machine.files, path, 1024);
  file.append(['one', 'two']);
  file.close();
  const bytes = readFileSync(path);
  const end = bytes.indexOf('two') + 2;
  writeFileSync(path, Buffer.concat([bytes.subarray(0, end), Buffer.alloc(1024 - end)]));
  const again = new SpillFile(machine.files, path, 1024);
  expect(again.lines()).toEqual(['one']);
  again.append(['three']);
  expect(again.lines()).toEqual(['one', 'three']);
  again.close();
  appendFileSync(path, 'rubbish that is no line of ours');
  expect(new SpillFile(machine.files, path, 1024).lines()).toEqual(['one', 'three']);
});

test('B7 a file closed twice takes nothing else along, and takes no more lines', () => {
  const place = directory();
  const file = new SpillFile(machine.files, join(place, SPILL), 1024);
  file.close();
  // It gets the number that the first had.
  const other = new SpillFile(machine.files, join(place, 'other'), 1024);
  file.close();
  expect(file.append(['lost'])).toBe(false);
  file.replace(['lost']);
  expect(other.append(['one'])).toBe(true);
  expect([file.lines(), other.lines()]).toEqual([[], ['one']]);
  other.close();
});

test('B7 the file never grows; what there is no room for is counted, others leave room for what could not be saved', async () => {
  const data = directory();
  const store = openStore({ data });
  const closed = { type: 'line.closed', time: 5, line: 'floor', data: { reason: 'x'.repeat(1000) } } as const;
  const others = Array.from({ length: 100 }, () => closed);
  expect(await store.spill.keep(others)).toBeGreaterThan(60);
  expect(await store.spill.keep([failed(1)])).toBe(0);
  expect(await store.spill.keep(Array.from({ length: 1000 }, (_, user) => failed(user)))).toBeGreaterThan(
    500,
  );
  const { size, mode } = statSync(join(data, SPILL));
  expect(size).toBe(SPILL_BYTES);
  expect(process.platform === 'win32' || (mode & 0o77) === 0).toBe(true);
  const kept = (await store.spill.waiting()).length;
  await store.close();
  const again = openStore({ data });
  expect(await again.spill.waiting()).toHaveLength(kept);
  await again.close();
});

test('B7 B17 who was erased meanwhile is named in no event that waited', async () => {
  const store = openStore({ data: { memory: true } });
  await store.spill.keep([failed(7)]);
  await store.saveUser({
    ...{ user: 7, from: 0, ledger: [], events: [], time: 1 },
    next: { record: { id: 7, fields: new Map() }, version: 1, provenance: new Map() },
  });
  await store.backups.erase(7, [], 9);
  const [stored] = await store.spill.drain(10);
  expect(stored?.user).toBeUndefined();
  expect(stored?.terminal).toBe('door');
  await store.close();
});
