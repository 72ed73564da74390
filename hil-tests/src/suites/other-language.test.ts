import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { fleetSchema, hasPty, serveControl, startFleet } from '@whorl/device-emulator';
import { systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../examples/enrol-elsewhere.sh', import.meta.url));
const WHORL = fileURLToPath(import.meta.resolve('@whorl/gateway/cli/main'));
const EMULATOR = fileURLToPath(import.meta.resolve('@whorl/device-emulator/control/cli'));

/** Why the script cannot run here; `undefined` when it can. */
function lacking(): string | undefined {
  for (const program of ['bash', 'curl'])
    if (spawnSync(program, ['--version']).status !== 0) return `there is no ${program} here`;
  return hasPty() ? undefined : 'there are no pseudo-terminals here';
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function script(env: NodeJS.ProcessEnv): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile('bash', [SCRIPT], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : 1, out, err });
    });
  });
}

test('E6 of an emulator that runs the script tells what it refuses, before anybody is enrolled', async ({
  skip,
}) => {
  const reason = lacking();
  if (reason !== undefined) skip(reason);
  const terminals = [{ name: 'terminal-1' }];
  const config = fleetSchema.parse({ lines: [{ name: 'lab', listen: { port: 0 }, terminals }] });
  const fleet = await startFleet(config, systemClock);
  const { app, port } = await serveControl(fleet, 0);
  onTestFinished(async () => {
    await app.close();
    await fleet.stop();
  });
  const { code, out, err } = await script({
    ...process.env,
    CONTROL: `http://127.0.0.1:${port}/`,
    TO: 'terminal-l',
  });
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('no terminal is called terminal-l; did you mean terminal-1?');
});

test(
  'E6 a shell script with curl enrols a user at a terminal on a PTY and waits for it elsewhere',
  {
    timeout: 180_000,
  },
  async ({ skip }) => {
    const reason = lacking();
    if (reason !== undefined) skip(reason);
    const folder = mkdtempSync(join(tmpdir(), 'whorl-shell-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    // As npx does: a process between, which passes no signal on.
    const between = join(folder, 'between');
    writeFileSync(between, `${JSON.stringify(process.execPath)} "$@" & echo $! >>"$0.pids"; wait $!\n`);
    const environment = {
      ...process.env,
      USER_ID: '1042',
      WHORL: `sh ${between} ${WHORL}`,
      WHORL_EMULATOR: `sh ${between} ${EMULATOR}`,
    };
    const ended = await script(environment);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out.trimEnd().split('\n')).toEqual([
      'terminal-1: user 1042 is enrolled',
      'terminal-3: user 1042 has come',
      'terminal-3: the finger opens the door',
    ]);
    const left = readFileSync(`${between}.pids`, 'utf8').trim().split('\n').map(Number).filter(isThere);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    expect(left).toEqual([]);
  },
);
