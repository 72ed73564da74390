import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
/** As if it ran on a Node of before. */
const OLD = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})';

describe.each([
  ['whorl', 'gateway/src/cli/whorl.mjs'],
  ['whorl-emulator', 'device-emulator/src/control/whorl-emulator.mjs'],
  ['whorl-hil', 'hil-tests/src/kit/whorl-hil.mjs'],
])('%s', (name, path) => {
  const run = (...words: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, words, { cwd: ROOT, encoding: 'utf8' });

  test('on an old Node it says which one it needs, and how to get it', () => {
    const { status, stderr } = run('--import', OLD, path, '--help');
    expect(status).toBe(1);
    expect(stderr).toContain(`${name} needs Node 24 or newer; this is 20.20.2`);
    expect(stderr).toContain(`npx ${name}`);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });

  test('on this one it is the command', { timeout: 20_000 }, () => {
    const { status, stdout } = run(path, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: ${name} `);
  });
});

test('who opens the front panel is not told what Node calls an experiment', async () => {
  const words = [
    'device-emulator/src/control/whorl-emulator.mjs',
    'fleet',
    '--tcp',
    '--control-port',
    '0',
    '--json',
  ];
  const child = spawn(process.execPath, words, { cwd: ROOT });
  onTestFinished(() => void child.kill());
  let told = '';
  child.stderr.on('data', (bytes: Buffer) => (told += bytes.toString()));
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  const { controlPort } = JSON.parse(first.toString()) as { controlPort: number };
  const page = await fetch(`http://127.0.0.1:${controlPort}/panel/panel/main.ts`);
  expect(await page.text()).toContain('import');
  child.kill();
  await once(child, 'close');
  expect(told).toBe('');
});
