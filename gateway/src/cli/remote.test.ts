import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService } from '../service.ts';
import type { Service } from '../service.ts';
import { silentLog } from '../settings/log.ts';
import { EXIT } from './context.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const PASSWORD = 'correct horse battery';
const home = mkdtempSync(join(tmpdir(), 'whorl-remote-'));
const file = (name: string): string => join(home, name);
const logins = file('logins.json');
let service: Service;
let url: string;

beforeAll(async () => {
  service = await startService(
    {
      site: { name: 'hq', lines: [] },
      data: file('data'),
      http: { enabled: true, host: '0.0.0.0', port: 0, names: [] },
      mqtt: { enabled: false, host: '127.0.0.1', port: 0 },
      logLevel: 'error',
    },
    silentLog,
  );
  url = service.http.place?.url.replace(hostname(), '127.0.0.1') ?? '';
  writeFileSync(file('password'), `${PASSWORD}\n`);
  writeFileSync(file('wrong'), 'not the password\n');
  writeFileSync(file('code'), `${service.http.setupCode ?? ''}\n`);
});
afterAll(async () => {
  await service.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Runs `whorl` as somebody on another machine. */
function whorl(...words: string[]): Promise<{ exit: number; out: string; err: string }> {
  const env = { ...process.env, WHORL_LOGINS: logins };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...words], { env }, (error, out, err) => {
      const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exit, out, err });
    });
  });
}

test(
  'G6 a gateway on another machine: certificate, first admin, commands, logout',
  { timeout: 180_000 },
  async () => {
    const { fingerprint = '' } = service.http.place ?? {};
    expect(url).toMatch(/^https:/);
    expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const login = ['login', '--url', url, '--name', 'ada', '--password-file', file('password')];

    expect(await whorl('status', '--url', url)).toMatchObject({ exit: EXIT.denied });
    const unknown = await whorl(...login);
    expect(unknown, 'nobody accepted the certificate').toMatchObject({ exit: EXIT.denied });
    expect(unknown.err).toMatch(/^GATEWAY_CERTIFICATE: /);
    const other = fingerprint.replace(/^../, fingerprint.startsWith('00') ? '11' : '00');
    expect(await whorl(...login, '--fingerprint', other)).toMatchObject({ exit: EXIT.denied });

    const setup = ['setup', '--url', url, '--name', 'ada', '--password-file', file('password')];
    const made = await whorl(...setup, '--code-file', file('code'), '--fingerprint', fingerprint);
    expect(made).toMatchObject({ exit: 0, out: `Logged in at ${url} as ada, admin.\n` });
    expect(statSync(logins).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
    expect(readFileSync(logins, 'utf8')).not.toContain(PASSWORD);
    const again = await whorl(...setup, '--code-file', file('code'));
    expect(again.err).toMatch(/^SETUP_DONE: /);

    expect(await whorl('status', '--url', url)).toMatchObject({ exit: 0 });
    expect((await whorl('status', '--url', url)).out).toContain(fingerprint);
    expect(await whorl('users', 'add', '7', '--name', 'Grace', '--url', url)).toMatchObject({ exit: 0 });
    const wrong = await whorl('login', '--url', url, '--name', 'ada', '--password-file', file('wrong'));
    expect(wrong).toMatchObject({ exit: EXIT.denied });
    expect(wrong.err).toMatch(/^AUTH_WRONG: /);
    expect((await whorl('whoami', '--url', url)).out).toBe('ada, admin\n');
    expect(await whorl('logout', '--url', url)).toMatchObject({ exit: 0 });
    const out = await whorl('status', '--url', url);
    expect(out.err).toMatch(/^LOGIN_NEEDED: /);
  },
);

test('G6 plain HTTP is spoken to this machine only', { timeout: 30_000 }, async () => {
  const answer = await whorl('login', '--url', 'http://192.0.2.1:7410', '--name', 'ada');
  expect(answer).toMatchObject({ exit: EXIT.usage, out: '' });
  expect(answer.err).toContain('https://');
});

test('G6 on this machine its owner is admin without a token', { timeout: 30_000 }, async () => {
  const me = await whorl('whoami', '--data', file('data'));
  expect(me).toMatchObject({ exit: 0, out: 'machine, admin\n' });
});
