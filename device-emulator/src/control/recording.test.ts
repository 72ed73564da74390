import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { codeOf, readCapture, readKeys, seededRandom, VirtualClock } from '@whorl/protocol';
import type { LoggedKeys } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Medium } from '../bus/medium.ts';
import { memoryPair } from '../bus/memory.ts';
import { logKeysTo, recordTo } from './recording.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'whorl-recording-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

const unexpected = (reason: string): never => {
  throw new Error(reason);
};
const group = (byte: number): LoggedKeys => ({
  kind: 'group',
  epoch: 0,
  line: 'floor',
  key: new Uint8Array(32).fill(byte),
});

test('what crosses lines is recorded with line, direction and time, also what nobody said', async () => {
  const path = join(folder(), 'site.pcapng');
  const clock = new VirtualClock();
  const recording = recordTo(path, clock, unexpected);
  const ports = ['floor', 'lab'].map((name) => {
    const medium = new Medium({ clock, random: seededRandom(1), baud: 10_000, turnaroundMs: 1 });
    recording.line({ name, baud: 10_000 }, medium);
    const [near, far] = memoryPair();
    medium.connect(far);
    return { near, medium };
  });
  const began = clock.wallTime() * 1000;
  ports[1]?.near.write(Uint8Array.of(1, 2, 0, 3));
  await clock.run({ forMs: 10 });
  ports[0]?.medium.noise(5);
  await clock.run({ forMs: 10 });
  recording.end();
  const packets = [...readCapture(new Uint8Array(readFileSync(path)))];
  expect(packets.slice(0, 1)).toMatchObject([
    {
      line: { name: 'lab', baud: 10_000 },
      direction: 'to-terminal',
      bytes: Uint8Array.of(1, 2, 0),
      timeUs: began + 3000,
    },
  ]);
  expect(packets.some(({ line, direction }) => line.name === 'floor' && direction === undefined)).toBe(true);
  expect(packets.at(-1)?.bytes).toEqual(Uint8Array.of(3));
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o077).toBe(0);
});

test('keys go behind those that are there, those of a line once', () => {
  const path = join(folder(), 'site.keys');
  for (const keys of [[group(1), group(1), group(2)], [group(1)]]) {
    const tell = logKeysTo(path, unexpected);
    for (const one of keys) tell(one);
  }
  const text = readFileSync(path, 'utf8');
  expect(readKeys(text)).toEqual([group(1), group(2), group(1)]);
  expect(text.match(/^# Session keys/gm)).toHaveLength(1);
});

test('G7 keys go to no file that others may read, and into none that is not there', (context) => {
  const path = join(folder(), 'site.keys');
  expect(thrown(() => logKeysTo(join(path, 'deeper'), unexpected))).toBe('FILE_WRITE');
  if (process.platform === 'win32') context.skip('Windows has no such permissions');
  writeFileSync(path, '');
  chmodSync(path, 0o644);
  expect(thrown(() => logKeysTo(path, unexpected))).toBe('KEYS_OPEN');
  expect(readFileSync(path, 'utf8')).toBe('');
  logKeysTo(join(path, '..', 'new.keys'), unexpected)(group(1));
  expect(statSync(join(path, '..', 'new.keys')).mode & 0o077).toBe(0);
});

function thrown(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}
