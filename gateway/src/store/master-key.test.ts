import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MasterPlaces } from './master-key.ts';

test('G7 the master key comes from a systemd credential, else a variable, else its file', () => {
  const data = mkdtempSync(join(tmpdir(), 'whorl-key-'));
  onTestFinished(() => {
    rmSync(data, { recursive: true, force: true });
  });
  const file = join(data, 'master.key');
  const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const variable = { WHORL_MASTER_KEY: one.toString('base64') };
  const none = (): never => {
    throw new Error('none shall be made');
  };
  const read = (environment: Record<string, string>): Uint8Array =>
    new MasterPlaces(data, environment).first(none).key;
  expect(read(variable)).toEqual(one);
  expect(read({ ...variable, CREDENTIALS_DIRECTORY: data })).toEqual(one);
  writeFileSync(join(data, 'whorl-master-key'), `${other.toString('base64')}\n`);
  expect(read({ ...variable, CREDENTIALS_DIRECTORY: data })).toEqual(other);
  expect(() => read({ WHORL_MASTER_KEY: 'short' })).toThrow('WHORL_MASTER_KEY');
  expect(() => read({})).toThrow('none shall be made');
  const places = new MasterPlaces(data, {});
  const made = places.first(() => one);
  expect(made.key).toEqual(one);
  expect(read({}), 'after a crash').toEqual(one);
  expect(existsSync(file), 'before the database knows of it').toBe(false);
  expect(places.known(made.place)).toMatchObject({ kind: 'file', name: file });
  expect(existsSync(file)).toBe(true);
  expect(read({})).toEqual(one);
});
