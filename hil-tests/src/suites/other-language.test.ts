import { execFile, spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { hasPty } from '@whorl/device-emulator';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../examples/enrol-elsewhere.sh', import.meta.url));
const WHORL = fileURLToPath(import.meta.resolve('@whorl/gateway/cli/main'));
const EMULATOR = fileURLToPath(import.meta.resolve('@whorl/device-emulator/control/cli'));

/** Why the script cannot run here; `undefined` when it can. */
function lacking(): string | undefined {
  for (const program of ['bash', 'curl'])
    if (spawnSync(program, ['--version']).status !== 0) return `there is no ${program} here`;
  return hasPty() ? undefined : 'there are no pseudo-terminals here';
}

test(
  'E6 a shell script with curl enrols a user at a terminal on a PTY and waits for it elsewhere',
  {
    timeout: 180_000,
  },
  async ({ skip }) => {
    const reason = lacking();
    if (reason !== undefined) skip(reason);
    const environment = {
      ...process.env,
      WHORL: `${process.execPath} ${WHORL}`,
      WHORL_EMULATOR: `${process.execPath} ${EMULATOR}`,
    };
    const ended = await new Promise<{ code: number; out: string; err: string }>((resolve) => {
      execFile('bash', [SCRIPT], { env: environment }, (error, out, err) => {
        resolve({ code: error === null ? 0 : 1, out, err });
      });
    });
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out.trimEnd().split('\n')).toEqual([
      'terminal-1: user 1042 is enrolled',
      'terminal-3: user 1042 has come',
      'terminal-3: the finger opens the door',
    ]);
  },
);
