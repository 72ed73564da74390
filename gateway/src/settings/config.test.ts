import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';

const directory = mkdtempSync(join(tmpdir(), 'whorl-config-'));

function problemsOf(text: string | Uint8Array): string[] {
  const file = join(directory, 'whorl.yaml');
  writeFileSync(file, text);
  try {
    loadConfig(file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(
      ({ code, place, text: told }) => `${code} ${place.replace(file, 'file')} ${told}`,
    );
  }
}

const LINE = 'lines:\n  - name: floor\n    serial: { path: /dev/ttyUSB0 }\n    terminals: [{ name: door }]\n';

test('a sound file has its defaults', () => {
  expect(problemsOf(LINE)).toEqual([]);
});

test('an unknown key names its line and the nearest known one', () => {
  expect(problemsOf(`${LINE}mqqt: {}\n`)).toEqual([
    'CONFIG_KEY file:5 mqqt unknown key mqqt; did you mean mqtt?',
  ]);
  expect(problemsOf(LINE.replace('path:', 'pth: 1, path:'))[0]).toContain('did you mean path?');
});

test('all problems of a file are told at once', () => {
  expect(
    problemsOf(LINE.replace('door', 'Door!').replace('/dev/ttyUSB0 }', '/dev/ttyUSB0, baud: 7 }')),
  ).toHaveLength(2);
});

test('a file that cannot be read, or says nothing, is told in plain words', () => {
  expect(problemsOf('\n')).toEqual([
    'CONFIG_READ file it is empty; begin with a copy of gateway/whorl.example.yaml',
  ]);
  expect(() => loadConfig(join(directory, 'none.yaml'))).toThrow(/none\.yaml: no such file or folder$/);
  expect(() => loadConfig(directory)).toThrow(/: is a folder$/);
});

test.each([
  ['an empty file', ''],
  ['a list', '- 1\n- 2\n'],
  ['not YAML', 'lines: [\n'],
  ['binary', new Uint8Array([0, 1, 2, 255])],
  ['aliases', 'a: &a [1]\nb: *a\n'],
  [
    'an address given twice',
    LINE.replace('[{ name: door }]', '[{ name: a, address: 3 }, { name: b, address: 3 }]'),
  ],
  [
    'a terminal that dials where nobody listens',
    LINE.replace('serial: { path: /dev/ttyUSB0 }', 'dialIn: { serial: X }'),
  ],
  ['two ways for one line', LINE.replace('terminals', 'tcp: { host: a, port: 1 }\n    terminals')],
  ['a broker beyond loopback without TLS', `${LINE}mqtt: { enabled: true, host: 0.0.0.0 }\n`],
])('%s is refused with a code and a place', (_, text) => {
  const problems = problemsOf(text);
  expect(problems.length).toBeGreaterThan(0);
  for (const problem of problems) expect(problem).toMatch(/^CONFIG_[A-Z]+ file/);
});

test('a serial port that begins with a dot counts from the folder of the file, as every path does', () => {
  const file = join(directory, 'dotted.yaml');
  const bus = 'modbus:\n  - { name: io, serial: { path: ../io.line } }\n';
  writeFileSync(file, LINE.replace('/dev/ttyUSB0', './floor.line') + bus);
  const { lines, modbus } = loadConfig(file).site;
  expect(lines[0]?.over).toMatchObject({ path: join(directory, 'floor.line') });
  expect(modbus?.[0]?.serial?.path).toBe(join(dirname(directory), 'io.line'));
  writeFileSync(file, LINE);
  expect(loadConfig(file).site.lines[0]?.over).toMatchObject({ path: '/dev/ttyUSB0' });
});

test('the example is the other side of the emulator’s', () => {
  const root = join(import.meta.dirname, '../../..');
  const { lines } = loadConfig(join(root, 'gateway/whorl.example.yaml')).site;
  expect(lines[0]?.over).toMatchObject({ path: join(root, 'device-emulator/floor.line') });
});
