import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leftOut } from './needs.ts';
import { givesOf, parseRig, readRig } from './rig-file.ts';

const HIL_TESTS = join(import.meta.dirname, '../..');
const EXAMPLES = readdirSync(join(HIL_TESTS, 'examples'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => join('examples', file));

const ports = (line: string, terminal = ''): string => `data: ./bench
lines:
  - name: floor
    ${line}
    terminals:
      - name: terminal-1
${terminal}`;
const SERIAL = 'serial: { path: /dev/ttyUSB0 }';

function problem(text: string): string {
  try {
    parseRig('rig.yaml', text);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'none';
}

describe('E8 the rig file', () => {
  test.each([
    ['an unknown key', 'emulated: memory\nkind: x\n', 'rig.yaml:2 kind: unknown key'],
    ['an unknown kind', 'emulated: usb\n', 'rig.yaml:1 emulated'],
    ['nothing', '# all of it is a comment\n', 'rig.yaml: there is nothing in it'],
    ['a bench without a folder', ports(SERIAL).replace('data: ./bench', ''), 'rig.yaml:2 data: '],
    ['a key near a known one', `${ports(SERIAL)}\nuser: 1\n`, 'user: unknown key; did you mean users?'],
    ['no way to a line', ports('turnaroundMs: 1'), 'just one of serial, tcp and emulated'],
    ['two ways to a line', ports(`${SERIAL}\n    emulated: pty`), 'just one of serial, tcp and emulated'],
    [
      'an unknown key of a terminal',
      ports(SERIAL, '        adress: 5\n'),
      'rig.yaml:7 lines.0.terminals.0.adress',
    ],
    ['a name twice', ports(SERIAL, '      - { name: floor, address: 2 }\n'), 'another one is called floor'],
    ['an address twice', ports(SERIAL, '      - { name: t2 }\n'), 'lines.0.terminals.1.address'],
    ['a relay without a command', ports(SERIAL, '        power: { off: [relay, off] }\n'), 'rig.yaml:7'],
  ])('E8 %s is an error that names the place', (_title, text, expected) => {
    expect(problem(text)).toContain(expected);
  });

  test('E8 hardware can do what the rig file says, and no more', () => {
    const bare = givesOf(parseRig('rig.yaml', ports(SERIAL)), false, 0);
    expect(bare).toEqual({ kind: 'ports', abilities: [], terminals: 1, consents: false });
    const able = ports(
      SERIAL,
      '        people: person\n        power: { off: [relay, "0"], on: [relay, "1"] }\n',
    );
    expect(givesOf(parseRig('rig.yaml', able), true, 0)).toMatchObject({ abilities: ['people', 'power'] });
  });
});

test.each([...EXAMPLES, 'rig.example.yaml'])('E8 %s is a rig file', (file) => {
  const rig = readRig(join(HIL_TESTS, file));
  if ('emulated' in rig) return;
  expect(givesOf(rig, false, 0).abilities).toContain('people');
  const paths = rig.lines.flatMap(({ serial }) => serial?.path ?? []);
  for (const path of [rig.data, ...paths]) expect(path).toMatch(/^\/|^[A-Z]:/);
});

test('E8 what a rig cannot give is a reason in words', () => {
  const hardware = { kind: 'ports', abilities: ['people'], terminals: 2, consents: false } as const;
  const needs = { inside: false, abilities: [], terminals: 2 };
  expect(leftOut(needs, hardware)).toBeUndefined();
  expect(leftOut({ ...needs, inside: true }, hardware)).toMatch(/look inside/);
  expect(leftOut({ ...needs, abilities: ['power'] }, hardware)).toBe(
    'needs a terminal whose power can be cut and given again',
  );
  expect(leftOut({ ...needs, terminals: 3 }, hardware)).toBe('needs 3 terminals, and the rig has 2');
  expect(leftOut({ ...needs, destroys: 'the log' }, hardware)).toBe(
    'destructive (the log): needs --allow-destructive',
  );
  expect(leftOut({ ...needs, on: ['memory'] }, { ...hardware, kind: 'pty' })).toMatch(/virtual time/);
});
