import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVERY_REQUEST } from '../../testing/requests.ts';
import { runCommand as run } from '../../testing/command.ts';
import { serveFleetOfAll } from '../../testing/served.ts';

let all: Awaited<ReturnType<typeof serveFleetOfAll>>;

beforeAll(async () => {
  all = await serveFleetOfAll();
});

afterAll(() => all.end());

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

test('E6 help for one fault is told, and nothing goes wrong', async () => {
  const { code, out } = await run('fault', 'door', 'late', '--help');
  expect([code, out]).toEqual([0, expect.stringMatching(/^late: .*--by/s)]);
  expect(all.fleet.faults.active).toEqual([]);
  expect(await run('fault', 'door', 'lat', '--help')).toMatchObject({
    code: 2,
    err: expect.stringContaining('did you mean late?') as string,
  });
});

test('E6 an emulator that is not there is said to be so, with what to do', async () => {
  const { code, err } = await run('events', '--control-port', '1', '--json');
  expect([code, JSON.parse(err)]).toMatchObject([
    3,
    { code: 'CONTROL_UNREACHABLE', remedy: expect.any(String) as string },
  ]);
});
