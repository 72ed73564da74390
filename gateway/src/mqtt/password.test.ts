import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { brokerPassword, readPassword, samePassword } from './password.ts';
import { scratch } from './testing/bench.ts';

function codeThrown(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}

test('a password is made once, long, and for its owner only', () => {
  const path = join(scratch(), 'mqtt.password');
  const password = brokerPassword(path);
  expect(password).toMatch(/^[\w-]{32}$/);
  expect(brokerPassword(path)).toBe(password);
  expect(readFileSync(path, 'utf8')).toBe(`${password}\n`);
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(brokerPassword(join(scratch(), 'mqtt.password'))).not.toBe(password);
});

test('a file that others may read, an empty one, a short password: none is used', () => {
  const path = join(scratch(), 'mqtt.password');
  writeFileSync(path, 'a password that is long\n', { mode: 0o600 });
  expect(readPassword(path)).toBe('a password that is long');
  if (process.platform !== 'win32') {
    chmodSync(path, 0o640);
    expect(codeThrown(() => readPassword(path))).toBe('MQTT_PASSWORD');
    chmodSync(path, 0o600);
  }
  writeFileSync(path, 'short\n');
  expect(codeThrown(() => brokerPassword(path))).toBe('MQTT_PASSWORD');
  writeFileSync(path, '\n');
  expect(codeThrown(() => readPassword(path))).toBe('MQTT_PASSWORD');
  expect(codeThrown(() => readPassword(`${path}.none`))).toBe('MQTT_PASSWORD');
});

test('only the right password is the same', () => {
  expect(samePassword(Buffer.from('right'), 'right')).toBe(true);
  for (const wrong of ['', 'righ', 'rightt', 'Right', 'wrong'])
    expect(samePassword(Buffer.from(wrong), 'right')).toBe(false);
});
