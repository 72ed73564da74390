import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';

const SCRATCH = new URL('scratch.ts', import.meta.url).href;

/** Makes a folder in a process of its own, which has ended when this returns. */
function leftBehind(folder: string): string {
  const script = `import { scratchFolder } from ${JSON.stringify(SCRATCH)}; console.log(scratchFolder('whorl-rig'));`;
  const env = { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder };
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    ...{ env, encoding: 'utf8' as const },
  });
  return stdout.trim();
}

test('what a run has left behind that was killed is removed by the next one, and nobody else’s', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-scratch-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const first = leftBehind(folder);
  expect(dirname(first)).toBe(folder);
  const name = /^(.*-)\d+-\w+$/.exec(first)?.[1] ?? '';
  const living = `${name}${process.pid}-abcdef`;
  const elsewhere = first.replace(/-[0-9a-f]{8}-(?=\d+-)/, '-00000000-');
  const other = join(folder, 'whorl-rig-mine');
  for (const one of [living, elsewhere, other]) mkdirSync(one);
  const second = leftBehind(folder);
  expect([first, second, living, elsewhere, other].map((one) => existsSync(one))).toEqual([
    ...[false, true, true, true, true],
  ]);
});
