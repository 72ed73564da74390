import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { EVERY_REQUEST } from '../../testing/requests.ts';
import { runCommand as run, runCommandOn } from '../../testing/command.ts';
import { lineAnswer, showLine } from '../show-lines.ts';
import { serveFleetOfAll } from '../../testing/served.ts';

let all: Awaited<ReturnType<typeof serveFleetOfAll>>;

beforeAll(async () => {
  all = await serveFleetOfAll();
});

afterAll(() => all.end());

/** A port at which no emulator answers. */
const NOBODY = ['--control-port', '1'];
const COMMANDS = [
  'start',
  'fleet',
  'do',
  'fault',
  'heal',
  'list',
  'show',
  'faults',
  'dump',
  'models',
  'events',
];

test('E6 every command has help with examples', async () => {
  const all = await run('--help');
  expect([...all.out.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name)).toEqual(
    expect.arrayContaining(COMMANDS) as string[],
  );
  for (const command of COMMANDS) {
    const { code, out } = await run(command, '--help');
    expect([command, code, out]).toEqual([
      command,
      0,
      expect.stringMatching(/Examples:\n {2}whorl-emulator/),
    ]);
  }
});

const COLUMNS = 80;

test('what is told fits a terminal of 80 columns, and lines to be pasted stay whole', async () => {
  const asked = [['--help'], ['faults'], ['models', 'finger-10k'], ...COMMANDS.map((one) => [one, '--help'])];
  for (const words of asked) {
    const { out } = await runCommandOn(COLUMNS, ...words, ...(words[0] === 'faults' ? NOBODY : []));
    expect(out.split('\n').filter((line) => line.length > COLUMNS)).toEqual([]);
    const pasted = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('  whorl'));
    expect(pasted(out)).toEqual(pasted((await run(...words)).out));
  }
});

test('E6 --json stands before the name of a command as well as after it', async () => {
  const [before, after] = [await run('--json', 'models'), await run('models', '--json')];
  expect(before).toEqual(after);
  expect(JSON.parse(before.out)).toEqual(expect.any(Array));
  const { err } = await run('--json', 'list', ...NOBODY);
  expect(JSON.parse(err)).toMatchObject({ code: 'CONTROL_UNREACHABLE' });
});

test('E6 who is not there, and a fault that there is not, is told, and not waited for', async () => {
  const port = ['--control-port', String(all.served.port)];
  const nobody = {
    code: 2,
    err: expect.stringContaining('no terminal is called dor; did you mean door?') as string,
  };
  expect(await run('events', ...port, '--terminal', 'dor', '--after', '0')).toMatchObject(nobody);
  expect(await run('do', ...port, 'dor', 'set')).toMatchObject(nobody);
  const wrong = { code: 2, err: expect.stringContaining('did you mean late?') as string };
  expect(await run('heal', ...port, 'door', 'lat')).toMatchObject(wrong);
});

test('what an action lacks is told as it is typed', async () => {
  const port = ['--control-port', String(all.served.port)];
  const misspelt = await run('do', 'north', 'log-in', '--pinn', '1', ...port);
  expect(misspelt.err).toContain('--pinn: unknown option; did you mean --pin?');
  expect((await run('fault', 'door', 'wrong-address', ...port)).err).toMatch(
    /^CONTROL_REQUEST: --address: is needed\n/,
  );
  expect((await run('fleet', '--lines', 'x')).err).toMatch(
    /^CONTROL_REQUEST: --lines: a whole number from 1 to/,
  );
  const bare = await run('fault', 'door', 'late', '--by', '3', ...port);
  expect(bare.err).toContain('--by: a time is written 16ms, 10s');
  const { code, err } = await run('do', 'north', 'log-in', ...port);
  expect(code).toBe(2);
  expect(err).toMatch(/^CONTROL_REQUEST: --operator: is needed; --pin: is needed\n/);
});

/** What a command line has for a request. */
function commandFor(name: string, [path, body = {}]: readonly [string, object?]): string[] {
  const [, area = '', target = '', deed = ''] = /^\/(\w+)(?:\/([\w-]+))?(?:\/([\w-]+))?/.exec(path) ?? [];
  const given = Object.entries(body).flatMap(([option, value]) => [`--${option}`, String(value)]);
  if (name === 'faults.begin') return ['fault', target, deed, ...given];
  if (name === 'faults.heal' || name === 'faults.healOne') return ['heal', target, deed].filter(Boolean);
  if (name === 'faults.list') return ['faults'];
  if (name === 'terminals.dump') return ['dump', target];
  if (deed !== '') return ['do', target, deed, ...given];
  return target === '' ? ['list', area] : ['show', target];
}

test('E6 all that the control does has a command', async () => {
  const port = ['--control-port', String(all.served.port)];
  const failed: string[] = [];
  for (const [name, request] of Object.entries(EVERY_REQUEST)) {
    const [command = '', ...rest] = commandFor(name, request);
    const text = await run(command, ...port, ...rest);
    if (text.code !== 0 || text.out === '') failed.push(`${name}: ${command} ${rest.join(' ')}: ${text.err}`);
  }
  expect(failed).toEqual([]);
});

test('E6 events are followed, in words and as lines of JSON', async () => {
  const port = ['--control-port', String(all.served.port)];
  await run('do', ...port, 'door', 'finger');
  const words = await run('events', ...port, '--after', '0', '--kind', 'denied', '--count', '1');
  expect(words.out).toMatch(/^[\d:.]{12} {2}\w+ +denied +(a stranger|user 7)/);
  const json = await run('events', ...port, '--after', '0', '--terminal', 'door', '--count', '2', '--json');
  const lines = json.out.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ terminal: 'door' }),
    expect.objectContaining({ terminal: 'door' }),
  ]);
  const wrong = await run('events', ...port, '--kind', 'finger');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('identified') as string });
});

test('E4 E6 help for a fault tells its field sentence, its parameters, their units and what they are unless given', async () => {
  const { code, out } = await run('fault', 'door', 'late', '--help');
  expect(code).toBe(0);
  expect(out).toMatch(/^late: .*\n {2}A terminal that matches a face.*\n {2}At the gateway within 30 s/);
  expect(out).toMatch(/--by +how late: a time such as 16ms.*; 300ms unless given\n/);
  expect(out).toMatch(/--chance +of each frame to be hit: 0 to 1; 0\.2 unless given\n/);
  expect(out).toMatch(/--for .*; until it is put right unless given/);
  expect((await run('faults', 'wrong-address')).out).toContain('1 to 247; has to be given');
  expect((await run('faults', 'clock-jumps')).out).toContain('-365d unless given');
  expect((await run('faults', 'pulled')).out).toMatch(/^On a line\npulled: .*On a terminal\npulled: /s);
  expect(all.fleet.faults.active).toEqual([]);
  expect(await run('fault', 'door', 'lat', '--help')).toMatchObject({
    code: 2,
    err: expect.stringContaining('did you mean late?') as string,
  });
});

test('E4 what can go wrong is told without an emulator, too', async () => {
  const { code, out } = await run('faults', '--control-port', '1');
  expect(code).toBe(0);
  expect(out).toMatch(/^Faults of a line\n {2}noise: .*No emulator answers: .*not known\.\n$/s);
});

test('E4 a clock is put forward or back by a time with its unit', async () => {
  const port = ['--control-port', String(all.served.port)];
  const now = all.fleet.terminal('door').terminal.shown;
  expect(await run('fault', 'door', 'clock-jumps', '--by', '-2d', ...port)).toMatchObject({ code: 0 });
  expect(all.fleet.terminal('door').terminal.shown - now).toBeLessThan(-1.9 * 86_400_000);
});

test('E6 an emulator that is not there is said to be so, with what to do', async () => {
  const { code, err } = await run('events', '--control-port', '1', '--json');
  expect([code, JSON.parse(err)]).toMatchObject([
    3,
    { code: 'CONTROL_UNREACHABLE', remedy: expect.any(String) as string },
  ]);
});

test('E6 an option whose value was forgotten does not take the next option for it', async () => {
  const { code, err } = await run('fault', 'door', 'late', '--by', '--control-port', '1');
  expect([code, err]).toEqual([2, expect.stringContaining('--by lacks its value')]);
});

test('E6 where something else answers than an emulator, that is said', async () => {
  const other = createServer((_request, answer) => answer.end('{"some":"thing"}'));
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  onTestFinished(() => void other.close());
  const { code, err } = await run('list', '--control-port', String((other.address() as AddressInfo).port));
  expect([code, err]).toEqual([3, expect.stringContaining('something else answers on port')]);
});

test('what crossed a line is told in whole numbers', async () => {
  const answer = await fetch(`http://127.0.0.1:${all.served.port}/lines/floor`);
  const floor = lineAnswer.parse(await answer.json());
  const told = showLine({ ...floor, counters: { ...floor.counters, busyMs: 12_024.652_777 } });
  expect(told).toMatch(/ busyMs +12025$/m);
});
