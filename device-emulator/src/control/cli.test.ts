import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readArguments } from './arguments.ts';

const CLI = join(import.meta.dirname, 'cli.ts');
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

function fleetFile(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'whorl-cli-')), 'fleet.yaml');
  writeFileSync(path, text);
  return path;
}

/** Starts an emulator; answers with its control port once it says that it runs. */
function start(config: string): Promise<{ child: ChildProcess; port: string; line: object }> {
  const child = spawn(process.execPath, [CLI, 'start', '--config', config, '--control-port', '0', '--json']);
  started.push(child);
  return new Promise((resolve, reject) => {
    let told = '';
    child.stderr.on('data', (bytes: Buffer) => (told += bytes.toString()));
    child.stdout.on('data', (bytes: Buffer) => {
      const line = JSON.parse(bytes.toString()) as { controlPort: number };
      resolve({ child, port: String(line.controlPort), line });
    });
    child.once('exit', () => {
      reject(new Error(told));
    });
  });
}

const FLEET = `
lines:
  - name: lab
    listen: { port: 0 }
    baud: 115200
    terminals:
      - { name: t1, address: 1 }
      - { name: t2, address: 2, model: card-500 }
`;

test('E6 a fleet is started, pressed, looked at and ended from a shell', { timeout: 30_000 }, async () => {
  const { child, port, line } = await start(fleetFile(FLEET));
  const at = ['--control-port', port];
  expect(line).toMatchObject({ lines: [{ name: 'lab', terminals: ['t1', 't2'] }] });
  const [enrolled, listed, refused, nobody, onLine] = await Promise.all([
    run('do', 't1', 'enrol', '--user', '1042', '--name', 'Ada', '--count=3', '--fingers', '10', ...at),
    run('list', ...at),
    run('do', 't2', 'enrol', '--user', '5', '--finger', '1', '--json', ...at),
    run('do', 't9', 'tap', '--user', '5', ...at),
    run('fault', ...at, '--json', 'lab', 'corrupt', '--rate', '0'),
  ]);
  expect(enrolled).toEqual({ code: 0, out: 't1: enrol: users 1042 1043 1044\n', err: '' });
  expect(listed.out).toMatch(/^terminal +line[^\n]*\nt1 +lab +1 +finger-10k +on/);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.err)).toMatchObject({
    code: 'TERMINAL_CANNOT_HOLD',
    remedy: expect.any(String) as string,
  });
  expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining('FLEET_UNKNOWN') as string });
  expect(JSON.parse(onLine.out)).toMatchObject({ active: [{ fault: 'corrupt', on: 'lab' }] });
  const [faults, healed, unknown] = await Promise.all([
    run('faults', ...at),
    run('heal', 'lab', 'corrupt', ...at),
    run('fault', 't1', 'corupt', ...at),
  ]);
  expect(faults.out).toMatch(/^Faults of a line\n {2}noise: .*\n {4}A motor/);
  expect(healed).toEqual({ code: 0, out: 'lab: 1 put right\n', err: '' });
  expect(unknown).toMatchObject({
    code: 2,
    err: expect.stringContaining('no fault is called corupt') as string,
  });
  const [shown, json] = await Promise.all([
    run('show', 't1', ...at),
    run('show', 't1', '--json', '--logs', '2', ...at),
  ]);
  expect(shown.out).toContain('user 1044');
  expect(JSON.parse(json.out)).toMatchObject({
    users: 3,
    logs: [{ kind: 'user.enrolled' }, { user: 1044, detail: 0x49 }],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect((await run('list', ...at)).code).toBe(3);
});

test('E6 what is not understood ends with code 2 and says where', { timeout: 30_000 }, async () => {
  const [file, action, option, missing, command, help, actions] = await Promise.all([
    run('start', '--config', fleetFile(`${FLEET}      - { name: t3, adress: 3 }\n`)),
    run('do', 't1', 'enroll'),
    run('do', 't1', 'tap', 'user', '5'),
    run('do', 't1', 'tap', '--user'),
    run('stat'),
    run('do', 't1', 'enrol', '--help'),
    run('do', 't1', '--help'),
  ]);
  expect(actions).toMatchObject({ code: 0, out: expect.stringContaining('enrol') as string });
  expect(file).toMatchObject({ code: 2 });
  expect(file.err).toMatch(
    /fleet\.yaml:9 lines\.0\.terminals\.2\.adress: unknown key; did you mean address\?/,
  );
  expect(action).toMatchObject({ code: 2, err: expect.stringContaining('did you mean enrol?') as string });
  expect(option).toMatchObject({ code: 2, err: expect.stringContaining('--user 1042') as string });
  expect(missing).toMatchObject({
    code: 2,
    err: expect.stringContaining('--user lacks its value') as string,
  });
  expect(command.code).toBe(2);
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining('--fingers') as string });
});

describe('E6 options behind an action', () => {
  test('E6 are pairs, or joined by =; what every command has may stand among them', () => {
    expect(
      readArguments(['--user', '5', '--json', '--name=a=b', '--control-port', '9', '--ppm', '-5']),
    ).toEqual({
      body: { user: '5', name: 'a=b', ppm: '-5' },
      help: false,
      json: true,
      controlPort: '9',
    });
  });

  test.each([[['5']], [['--user']], [['--user', '5', '--user', '6']], [['-u', '5']]])(
    'E6 %j is refused',
    (rest) => {
      expect(() => readArguments(rest)).toThrow();
    },
  );
});
