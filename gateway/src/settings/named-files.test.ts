import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from './config.ts';
import { fileProblems } from './named-files.ts';

const SATELLITE = `lines: []
site:
  role: satellite
  syncId: 2
  master: { name: hq, url: mqtts://hq.example:8883, user: north, passwordFile: north.password, ca: ca.pem }
database: { url: postgres://whorl@db.example/whorl, passwordFile: db-password }
mqtt: { enabled: true, tls: { cert: a.crt, key: a.key } }
http: { tls: { cert: b.crt, key: b.key } }
`;

test('each file that a configuration names and that cannot be used is told, with where it is named and why', () => {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-named-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('whorl.yaml'), SATELLITE);
  const told = (): string[] =>
    fileProblems(loadConfig(at('whorl.yaml')), 'file').map(({ code, place, text }) => {
      expect(code).toBe('CONFIG_FILE');
      return `${place}: ${text.replaceAll(directory, '')}`;
    });
  expect(told()).toEqual([
    'file database.passwordFile: /db-password could not be read: no such file or folder',
    'file site.master.passwordFile: /north.password could not be read: no such file or folder',
    'file http.tls.cert: /b.crt: no such file or folder',
    'file http.tls.key: /b.key: no such file or folder',
    'file mqtt.tls.cert: /a.crt: no such file or folder',
    'file mqtt.tls.key: /a.key: no such file or folder',
    'file site.master.ca: /ca.pem: no such file or folder',
  ]);
  for (const name of ['ca.pem', 'a.crt', 'a.key', 'b.crt', 'b.key']) writeFileSync(at(name), 'x');
  writeFileSync(at('north.password'), '\n', { mode: 0o600 });
  writeFileSync(at('db-password'), 'secret\n', { mode: 0o644 });
  expect(told()).toEqual([
    ...(process.platform === 'win32'
      ? []
      : ['file database.passwordFile: others may read /db-password; set its permissions to 0600']),
    'file site.master.passwordFile: /north.password is empty',
  ]);
  writeFileSync(at('north.password'), 'correct horse battery\n');
  rmSync(at('db-password'));
  writeFileSync(at('db-password'), 'secret\n', { mode: 0o600 });
  expect(told()).toEqual([]);
});
