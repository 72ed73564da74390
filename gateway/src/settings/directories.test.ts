import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { makeDirectories } from './directories.ts';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-directories-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('directories are made with those above, for their owner alone; those that are there stay as they are', () => {
  const directory = scratch();
  chmodSync(directory, 0o755);
  const path = join(directory, 'a', 'b', 'c');
  makeDirectories(path);
  makeDirectories(path);
  if (process.platform === 'win32') return;
  expect([directory, join(directory, 'a'), path].map((one) => statSync(one).mode & 0o777)).toEqual([
    0o755, 0o700, 0o700,
  ]);
});

test('where none can be made, it is told and does not go on for ever', (context) => {
  const file = join(scratch(), 'file');
  writeFileSync(file, '');
  expect(() => makeDirectories(join(file, 'a', 'b'))).toThrow(/ENOTDIR/);
  if (process.platform !== 'linux') context.skip('there is no /proc');
  expect(() => makeDirectories('/proc/whorl/broker')).toThrow(/ENOENT/);
});
