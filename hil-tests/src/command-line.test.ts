import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(script: string, ...words: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script, 'main.ts'), ...words]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

const OPTIONS = { timeout: 60_000 };

test.for([
  ['soak', '--only fuz', '--only fuz: did you mean fuzz?'],
  ['soak', '--minutes x', '--minutes x: a number from 0 on'],
  ['soak', '--workers x', '--workers x: a whole number from 0 on'],
  ['soak', '--seed x', '--seed x: a whole number from 0 on'],
  ['soak', 'fuzz', 'fuzz'],
  ['mutants', '--only qqq', '--only qqq: no bug has this in its name'],
  ['mutants', '--most x', '--most x: a whole number from 1 on'],
  ['mutants', '--bogus', '--bogus'],
  ['bench', '--only frame.sael', '--only frame.sael: did you mean frame.seal?'],
] as const)('%s %s is refused before anything begins', OPTIONS, async ([script, words, told]) => {
  const { code, out, err } = await run(script, ...words.split(' '));
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(told);
  expect(err).toMatch(/\n\(--help tells how it is used\)\n$/);
});

test.for(['soak', 'mutants', 'bench'])('%s --help has examples', OPTIONS, async (script) => {
  const { code, out } = await run(script, '--help');
  expect(code).toBe(0);
  expect(out).toMatch(/\nExamples?:\n {2}n/);
});

test.skipIf(process.platform === 'win32')(
  'mutants that are interrupted leave no copy of the gateway behind',
  OPTIONS,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'whorl-interrupted-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const env = { ...process.env, TMPDIR: folder };
    const child = spawn(process.execPath, [join(import.meta.dirname, 'mutants/main.ts')], { env });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    await expect.poll(() => readdirSync(folder), OPTIONS).toHaveLength(1);
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
    expect(readdirSync(folder)).toEqual([]);
  },
);
