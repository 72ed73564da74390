import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fleetSchema, hasPty, serveControl, startFleet } from '@whorl/device-emulator';
import type { Fleet } from '@whorl/device-emulator';
import { systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readRecording } from '../replay/recording.ts';
import { replay } from '../replay/replay.ts';
import { recordedSite } from '../rig/recorded.ts';
import type { Recorded } from '../rig/recorded.ts';
import { replayFile } from './replay-command.ts';
import type { Run } from './results.ts';

const CLI = join(import.meta.dirname, 'cli.ts');
const OPTIONS = { timeout: 120_000 };

interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number>;
}

function whorlHil(...words: string[]): Running {
  return started('run', ...words);
}

function started(...words: string[]): Running {
  // What this test runner tells its workers is not for the one inside.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('VITEST')));
  const child = spawn(process.execPath, [CLI, ...words], { env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const ended = new Promise<number>((resolve) =>
    child.once('exit', (code) => {
      resolve(code ?? -1);
    }),
  );
  return { child, out: () => out, err: () => err, ended };
}

async function result(running: Running): Promise<{ exit: number; run: Run }> {
  const exit = await running.ended;
  return { exit, run: JSON.parse(running.out()) as Run };
}

let folder: string;
let fleet: Fleet;
let control: Awaited<ReturnType<typeof serveControl>>;
/** Stands for hardware: the rig knows of it a serial port, a TCP port, and whom to ask. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'whorl-hil-'));
  const members = (...names: string[]): object[] =>
    names.map((name, index) => ({ name, address: index + 1, bootMs: 200 }));
  const floor = hasPty() ? { pty: { link: join(folder, 'floor') } } : { listen: { port: 0 }, baud: 115_200 };
  const config = fleetSchema.parse({
    lines: [
      { name: 'floor', ...floor, terminals: members('terminal-1', 'terminal-2') },
      { name: 'gate', listen: { port: 0 }, terminals: members('terminal-3') },
    ],
  });
  fleet = await startFleet(config, systemClock);
  control = await serveControl(fleet, 0);
});
afterAll(async () => {
  await control.app.close();
  await fleet.stop();
  rmSync(folder, { recursive: true, force: true });
});

function portOf(line: string): number {
  return Number(/port (\d+)$/.exec(fleet.line(line).cable.place)?.[1]);
}

/** A rig file for what stands for hardware, with a third line that the rig emulates itself. */
function bench(name: string, terminal1: object): string {
  const emulator = { emulator: control.port };
  const floor = hasPty()
    ? { serial: { path: join(folder, 'floor') } }
    : { tcp: { host: '127.0.0.1', port: portOf('floor'), baud: 115_200 } };
  const file = join(folder, `${name}.yaml`);
  const second = { name: 'terminal-2', address: 2, people: emulator };
  const lines = [
    { name: 'floor', ...floor, terminals: [{ name: 'terminal-1', ...terminal1 }, second] },
    {
      ...{ name: 'gate', tcp: { host: '127.0.0.1', port: portOf('gate') }, cable: emulator },
      terminals: [{ name: 'terminal-3', people: emulator }],
    },
    { name: 'lab', emulated: 'tcp', terminals: [{ name: 'terminal-4' }] },
  ];
  writeFileSync(file, JSON.stringify({ data: `./data-${name}`, lines }));
  return file;
}

const PACKET_BLOCK = 6;
const GARBAGE = Buffer.alloc(40, 0x55);

/** The beginning of a capture: so many packets, with what stands before them, and garbage behind. */
function damagedAfter(packets: number, capture: Buffer): Buffer {
  let [at, seen] = [0, 0];
  while (seen < packets) {
    if (capture.readUInt32LE(at) === PACKET_BLOCK) seen += 1;
    at += capture.readUInt32LE(at + 4);
  }
  return Buffer.concat([capture.subarray(0, at), GARBAGE, capture.subarray(at)]);
}

/** @param packet of a recorded site, up to which all comes as recorded */
async function expectPlayedUpToDamage(site: Recorded, packet: number): Promise<void> {
  const path = join(folder, 'damaged.pcapng');
  const capture = readFileSync(site.capture);
  writeFileSync(path, damagedAfter(packet - 1, capture));
  const running = started('replay', path, '--key-log', site.keys, '--json');
  expect(await running.ended).toBe(1);
  expect(running.err()).toMatch(
    /^CAPTURE_DAMAGED: .*damaged\.pcapng: at byte \d+: .*what stands before is played\n/,
  );
  const told = JSON.parse(running.out()) as { same: number };
  expect(told).toMatchObject({ damage: expect.stringMatching(/^at byte \d+: /) as string, deviations: [] });
  expect(told.same).toBeGreaterThan(5);
  writeFileSync(path, damagedAfter(1, capture));
  await expect(replayFile(path, { keyLog: site.keys })).rejects.toMatchObject({
    code: 'CAPTURE_DAMAGED',
    message: expect.stringMatching(
      /at byte \d+: .*; what stands before cannot be played: no session/,
    ) as string,
  });
}

describe('whorl-hil', OPTIONS, () => {
  test('help fits a terminal of 80 columns', () => {
    const columns = 80;
    const terminal = `data:text/javascript,process.stdout.columns=${columns}`;
    for (const words of [[], ['run'], ['replay']]) {
      const all = ['--import', terminal, CLI, ...words, '--help'];
      const { stdout } = spawnSync(process.execPath, all, { encoding: 'utf8' });
      expect(stdout).toContain('Exit codes:');
      expect(stdout.split('\n').filter((line) => line.length > columns)).toEqual([]);
    }
  });

  test('a rig file that is not there is told in words', async () => {
    const running = whorlHil('--rig', join(folder, 'nothing.yaml'));
    expect(await running.ended).toBe(2);
    expect(running.err()).toMatch(/^RIG_FILE: .*nothing\.yaml: no such file or folder\n/);
  });

  test('E8 a behaviour runs on a rig in memory, and is told as JSON, JUnit and HTML', async () => {
    const file = join(import.meta.dirname, '../../examples/memory.yaml');
    const [xml, page] = [join(folder, 'r.xml'), join(folder, 'r.html')];
    const words = ['--rig', file, '--suite', 'scope', '--match', 'B1 a user deleted at the gateway leaves'];
    const all = ['--json', 'run', ...words, '--junit', xml, '--html', page];
    const { exit, run } = await result(started(...all));
    expect(run.errors).toEqual([]);
    expect(run.results).toMatchObject([{ suite: 'scope', state: 'passed' }]);
    expect(exit).toBe(0);
    expect(readFileSync(xml, 'utf8')).toContain('<testsuite name="scope" tests="1" failures="0"');
    expect(readFileSync(page, 'utf8')).toContain('every terminal');
  });

  test('E8 a run that finds no behaviour of the words it was given says so', async () => {
    const file = join(import.meta.dirname, '../../examples/memory.yaml');
    const words = ['--rig', file, '--suite', 'scope', '--match', 'nothing is called so', '--json'];
    const { exit, run } = await result(whorlHil(...words));
    expect(exit).toBe(1);
    expect(run.errors).toEqual([
      'no behaviour of scope has “nothing is called so” in its title; capitals count',
    ]);
  });

  test('E8 a report that cannot be written is told before the run', async () => {
    const file = join(import.meta.dirname, '../../examples/memory.yaml');
    const running = whorlHil('--rig', file, '--junit', join(folder, 'no', 'such.xml'));
    expect(await running.ended).toBe(2);
    expect(running.err()).toMatch(/^FILE_WRITE: .*such\.xml: /);
    expect(running.out()).toBe('');
  });

  test('E8 who reads no further what is told ends no run: reports and exit code are there', async () => {
    const file = join(import.meta.dirname, '../../examples/memory.yaml');
    const xml = join(folder, 'unread.xml');
    const words = ['--rig', file, '--suite', 'scope', '--match', 'B1 a user deleted at the gateway leaves'];
    const running = whorlHil(...words, '--junit', xml);
    running.child.stdout?.destroy();
    expect(await running.ended).toBe(0);
    expect(readFileSync(xml, 'utf8')).toContain('tests="1" failures="0" errors="0"');
  });

  test('E8 the reports of a run that was killed say so, whatever an earlier run has left there', async () => {
    const xml = join(folder, 'killed.xml');
    writeFileSync(xml, '<testsuites name="an earlier run, all well"/>');
    const file = bench('killed', { people: 'person' });
    const running = whorlHil('--rig', file, '--suite', 'scope', '--junit', xml);
    await expect.poll(running.err, { timeout: 60_000 }).toContain('Choose "pair" in the menu of terminal-1');
    running.child.kill('SIGKILL');
    await running.ended;
    expect(readFileSync(xml, 'utf8')).toContain('message="the run was ended before its end"');
  });

  test('E7 a capture is kept as a recording, which is played again; what is neither is refused', async () => {
    const site = await recordedSite();
    onTestFinished(() => {
      site.remove();
    });
    const kept = join(folder, 'kept.json');
    const first = started('replay', site.capture, '--key-log', site.keys, '--save', kept, '--json');
    await first.ended;
    const told = JSON.parse(first.out()) as {
      same: number;
      terminals: number;
      deviations: { packet: number; expected?: string }[];
    };
    expect(told).toMatchObject({ terminals: 6, unopened: expect.any(Number) as number });
    expect(told.same).toBeGreaterThan(50);
    // A terminal that is paired anew is greeted anew; how it was paired is not played.
    expect(told.deviations.map(({ expected }) => expected)).toEqual([
      'hello',
      'welcome',
      'logs.read after 0',
      'logs.page 1',
    ]);
    expect(readFileSync(kept, 'utf8')).not.toContain(Buffer.from(site.template).toString('hex'));
    expect((await replay(readRecording(kept))).same).toBe(told.same);
    await expectPlayedUpToDamage(site, told.deviations[0]?.packet ?? 0);
    const lone = started('replay', kept, '--firmware', '1.2.0');
    expect(await lone.ended).toBe(2);
    expect(lone.err()).toContain('name the model by --terminals');
    const refused = started('replay', site.capture);
    expect(await refused.ended).toBe(2);
    expect(refused.err()).toMatch(/^REPLAY_EMPTY: \d+ packets are sealed, and no keys were given\n/);
    const file = join(folder, 'memory.yaml');
    writeFileSync(file, 'emulated: memory\n');
    for (const [path, keyLog, code] of [
      [file, undefined, 'REPLAY_FILE'],
      [site.capture, file, 'KEYS_OPEN'],
      [join(folder, 'nothing.pcapng'), undefined, 'FILE_READ'],
    ] as const) {
      const words = { json: true, ...(keyLog === undefined ? {} : { keyLog }) };
      await expect(replayFile(path, words)).rejects.toMatchObject({ code });
    }
  });

  test('E8 a rig file or suite that is none is refused with its place', async () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'emulated: memroy\n');
    const running = whorlHil('--rig', file);
    expect(await running.ended).toBe(2);
    expect(running.err()).toMatch(/^RIG_FILE: .*wrong\.yaml:1 emulated/);
    expect(running.err()).toContain('see hil-tests/rig.example.yaml');
  });

  test('E8 a mixed rig: terminals behind ports that are paired and enrolled at by who is at hand', async () => {
    const emulator = { emulator: control.port };
    const file = bench('mixed', { people: emulator });
    const { exit, run } = await result(whorlHil('--rig', file, '--suite', 'enrolment', 'gaps', '--json'));
    const told = new Map(run.results.map((one) => [one.title, one]));
    expect(run.results.filter(({ state }) => state === 'failed')).toEqual([]);
    const passed = run.results.filter(({ state }) => state === 'passed').map(({ title }) => title);
    expect(passed.length).toBeGreaterThanOrEqual(3);
    const reset =
      'B11 G3 a terminal that is reset to new is paired again by its code, and gets its users back';
    expect(told.get(reset)?.reason).toBe(
      'destructive (all that a terminal holds): needs --allow-destructive',
    );
    expect(told.get('B5 with restoreDeleted the terminal gets the user again')?.reason).toMatch(/inside/);
    expect(exit).toBe(0);
    expect([...fleet.terminal('terminal-3').terminal.users().keys()]).toEqual([]);
  });

  test('E8 a bench that is not there is told once, with who is missing and why, and nothing waits for it', async () => {
    const file = join(folder, 'absent.yaml');
    const port = join(folder, 'nothing.line');
    const floor = { name: 'floor', serial: { path: port }, terminals: [{ name: 'terminal-1' }] };
    const lab = { name: 'lab', emulated: 'tcp', terminals: [{ name: 'terminal-4' }] };
    writeFileSync(file, JSON.stringify({ data: './data-absent', lines: [floor, lab] }));
    const xml = join(folder, 'absent.xml');
    const { exit, run } = await result(whorlHil('--rig', file, '--junit', xml, '--json'));
    expect(exit).toBe(1);
    expect(run.results).toEqual([]);
    expect(run.errors).toHaveLength(1);
    expect(run.errors[0]).toMatch(/^RIG_ABSENT: line floor \(serial .*nothing\.line .*\): .* is not there: /);
    expect(run.errors[0]).not.toContain('terminal-4');
    expect(readFileSync(xml, 'utf8')).toContain('RIG_ABSENT: line floor');
  });

  test('E8 a bench that is unplugged amid a run is told once, and the rest is left out by name', async () => {
    const emulator = { emulator: control.port };
    const file = bench('gone', { people: emulator });
    const page = join(folder, 'gone.html');
    const suites = ['--suite', 'enrolment', 'scope'];
    const running = whorlHil('--rig', file, ...suites, '--html', page, '--json');
    await expect.poll(running.err, { timeout: 60_000, interval: 5 }).toContain('✓');
    await fleet.line('floor').cable.unplug();
    onTestFinished(() => fleet.line('floor').cable.plug());
    const { exit, run } = await result(running);
    expect(exit).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/^RIG_GONE: line floor \(.*\): .*\n.*left out/)]);
    expect(running.err().split('RIG_GONE')).toHaveLength(2);
    const left = run.results.filter(({ reason }) =>
      reason?.startsWith('the bench was there no more: line floor'),
    );
    expect(left.length).toBeGreaterThanOrEqual(3);
    expect(new Set(left.map(({ suite }) => suite)).size).toBeGreaterThan(1);
    expect(left.map(({ title }) => title)).toContain(
      'B1 a user deleted at the gateway leaves every terminal',
    );
    expect(readFileSync(page, 'utf8')).toContain('RIG_GONE');
  });

  test('E8 a cable is pulled by who is at hand; a relay that fails is told with what the wire said, secrets masked; a person is asked at the console', async () => {
    const relay = [process.execPath, '-e', 'console.error("relay 3 does not answer"); process.exit(1)'];
    const file = bench('asked', { people: 'person', power: { off: relay, on: relay } });
    const running = whorlHil('--rig', file, '--suite', 'trouble', '--match', 'G2 a ', '--json');
    await expect.poll(running.err, { timeout: 60_000 }).toContain('Choose "pair" in the menu of terminal-1');
    running.child.stdin?.write(`${fleet.terminal('terminal-1').terminal.pair()}\n`);
    const { exit, run } = await result(running);
    expect(exit).toBe(1);
    expect(run.results).toContainEqual(
      expect.objectContaining({ title: expect.stringContaining('a pulled line') as string, state: 'passed' }),
    );
    const [failed] = run.results.filter(({ state }) => state === 'failed');
    expect(failed?.reason).toContain('relay 3 does not answer');
    expect(failed?.timeline?.map(({ shown }) => shown).join('\n')).toMatch(/floor +→ 1 .*session\.open/);
    expect(failed?.timeline?.map(({ shown }) => shown).join('\n')).toMatch(/sealed, \d+ bytes/);
  });

  test.skipIf(process.platform === 'win32')('E8 Ctrl-C ends a run in order, with what there is', async () => {
    const file = bench('stopped', { people: 'person' });
    const running = whorlHil('--rig', file, '--suite', 'scope', '--json');
    await expect.poll(running.err, { timeout: 60_000 }).toContain('Choose "pair" in the menu of terminal-1');
    running.child.kill('SIGINT');
    const { exit, run } = await result(running);
    expect(exit).toBe(130);
    expect(run.interrupted).toBe(true);
    expect(run.results.filter(({ state }) => state === 'passed')).toEqual([]);
  });
});
