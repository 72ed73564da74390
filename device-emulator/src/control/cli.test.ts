import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { runCommand } from '../testing/command.ts';
import type { Ended } from '../testing/command.ts';
import { readArguments } from './arguments.ts';

const CLI = join(import.meta.dirname, 'cli.ts');
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** Runs a command as a process of its own. */
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

interface Running {
  readonly child: ChildProcess;
  readonly port: string;
  readonly told: z.infer<typeof startedSchema>;
}

const startedSchema = z.object({
  controlPort: z.int(),
  lines: z.array(
    z.object({ name: z.string(), port: z.int().optional(), terminals: z.array(z.string()) }).loose(),
  ),
});

/** Starts an emulator; answers once it says that it runs. */
function launch(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [CLI, ...args, '--control-port', '0', '--json']);
  started.push(child);
  return new Promise((resolve, reject) => {
    let [out, err] = ['', ''];
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    child.stdout.on('data', (bytes: Buffer) => {
      out += bytes.toString();
      if (!out.endsWith('\n')) return;
      const told = startedSchema.parse(JSON.parse(out));
      resolve({ child, port: String(told.controlPort), told });
    });
    child.once('exit', () => {
      reject(new Error(err));
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

test('E6 a fleet is started, pressed, looked at and ended from a shell', { timeout: 60_000 }, async () => {
  const { child, port, told } = await launch('start', '--config', fleetFile(FLEET));
  const at = ['--control-port', port];
  expect(told).toMatchObject({ lines: [{ name: 'lab', terminals: ['t1', 't2'] }] });
  const [enrolled, listed, refused, nobody, onLine] = await Promise.all([
    run('do', 't1', 'enrol', '--user', '1042', '--name', 'Ada', '--count=3', '--fingers', '10', ...at),
    runCommand('list', ...at),
    runCommand('do', 't2', 'enrol', '--user', '5', '--finger', '1', '--json', ...at),
    runCommand('do', 't9', 'tap', '--user', '5', ...at),
    runCommand('fault', ...at, '--json', 'lab', 'corrupt', '--rate', '0'),
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
    runCommand('faults', ...at),
    runCommand('heal', 'lab', 'corrupt', ...at),
    runCommand('fault', 't1', 'corupt', ...at),
  ]);
  expect(faults.out).toMatch(/^Faults of a line\n {2}noise: .*\n {4}A motor/);
  expect(healed).toEqual({ code: 0, out: 'lab: 1 put right\n', err: '' });
  expect(unknown).toMatchObject({
    code: 2,
    err: expect.stringContaining('no fault is called corupt') as string,
  });
  const [shown, json] = await Promise.all([
    runCommand('show', 't1', ...at),
    runCommand('show', 't1', '--json', '--logs', '2', ...at),
  ]);
  expect(shown.out).toContain('user 1044');
  expect(JSON.parse(json.out)).toMatchObject({
    users: 3,
    logs: [{ kind: 'user.enrolled' }, { user: 1044, detail: 0x49 }],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect((await runCommand('list', ...at)).code).toBe(3);
});

test(
  'E5 thousands of terminals on TCP are there within seconds, each on a port of its own',
  { timeout: 60_000 },
  async () => {
    const { told, port } = await launch('fleet', '--lines', '5000', '--tcp');
    expect(told.lines).toHaveLength(5_000);
    const ports = told.lines.map((line) => line.port ?? 0);
    expect(new Set(ports).size).toBe(5_000);
    for (const one of [ports[0], ports[2_499], ports[4_999]]) {
      const socket = connect(one ?? 0, '127.0.0.1');
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      socket.destroy();
    }
    expect(await runCommand('do', 'terminal-5000', 'power-off', '--control-port', port)).toMatchObject({
      code: 0,
    });
  },
);

test(
  'E5 lines that terminals share hold the same users, as many as was said',
  { timeout: 60_000 },
  async () => {
    const { told, port } = await launch(
      ...['fleet', '--lines', '8', '--terminals', '32', '--users', '5000', '--tcp'],
    );
    expect(told.lines.map(({ terminals }) => terminals.length)).toEqual(Array.from({ length: 8 }, () => 32));
    const [first, last] = await Promise.all(
      ['terminal-1', 'terminal-256'].map((name) =>
        runCommand('show', name, '--control-port', port, '--json'),
      ),
    );
    const digestOf = (shown: Ended | undefined): unknown =>
      z.looseObject({}).parse(JSON.parse(shown?.out ?? ''))['table'];
    expect(JSON.parse(first?.out ?? '')).toMatchObject({ users: 5_000, line: 'line-1' });
    expect(digestOf(first)).toBe(digestOf(last));
  },
);

test('E5 terminals dial the gateway, each by itself', { timeout: 60_000 }, async () => {
  const sockets: Socket[] = [];
  const gateway = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    gateway.close();
  });
  const address = gateway.address();
  const place = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const { told } = await launch('fleet', '--lines', '3', '--dial', place);
  expect(told.lines).toMatchObject([{ dials: place }, { dials: place }, { dials: place }]);
  await expect.poll(() => sockets.length).toBe(3);
});

test(
  'E6 a stream of events is piped on line by line, and ends with the emulator',
  { timeout: 60_000 },
  async () => {
    const { child, port } = await launch('start', '--config', fleetFile(FLEET));
    const following = spawn(process.execPath, [
      CLI,
      'events',
      '--json',
      '--kind',
      'power',
      '--control-port',
      port,
    ]);
    started.push(following);
    let [out, err] = ['', ''];
    following.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    following.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    const ended = new Promise((resolve) => following.once('exit', resolve));
    // It follows from when it has come: what happens before is told to others.
    await expect
      .poll(async () => {
        const on = { headers: { 'content-type': 'application/json' }, method: 'POST', body: '{}' };
        await fetch(`http://127.0.0.1:${port}/terminals/t1/reboot`, on);
        return out.split('\n').length;
      })
      .toBeGreaterThan(2);
    for (const line of out.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ kind: 'power' });
    child.kill('SIGKILL');
    expect(await ended).toBe(3);
    expect(JSON.parse(err)).toMatchObject({ code: 'CONTROL_UNREACHABLE' });
  },
);

test('E6 what is not understood ends with code 2 and says where', { timeout: 60_000 }, async () => {
  const [file, action, option, missing, command, help, actions] = await Promise.all([
    runCommand('start', '--config', fleetFile(`${FLEET}      - { name: t3, adress: 3 }\n`)),
    runCommand('do', 't1', 'enroll'),
    runCommand('do', 't1', 'tap', 'user', '5'),
    runCommand('do', 't1', 'tap', '--user'),
    run('stat'),
    runCommand('do', 't1', 'enrol', '--help'),
    runCommand('do', 't1', '--help'),
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
