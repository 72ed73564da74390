import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Client } from './cli/client.ts';
import { localSend } from './cli/transport.ts';
import { brokerProbe } from './mqtt/probe-broker.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';
import type { Config } from './settings/config.ts';
import { silentLog } from './settings/log.ts';
import { certified } from './mqtt/testing/certified.ts';
import { probe } from './sites/probe.ts';
import type { Probe } from './sites/probe.ts';
import type { SitesStatus } from './sites/operations.ts';

const CODE = 'open-sesame-41';
const PASSWORD = 'correct horse battery';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serve(
  config: Pick<Config, 'site' | 'sites' | 'mqtt'>,
): Promise<{ service: Service; api: Client }> {
  const data = scratch();
  const http = { enabled: false, host: '127.0.0.1', port: 0, names: [] };
  const service = await startService({ ...config, data, http, logLevel: 'error' }, silentLog);
  let stopped = false;
  const once = {
    ...service,
    stop: async () => {
      if (!stopped) await service.stop();
      stopped = true;
    },
  };
  onTestFinished(() => once.stop());
  return { service: once, api: new Client(localSend(data)) };
}

/** A master with its own broker, and a satellite that meets it over TLS and is in no list yet. */
async function overTls({ ahead = 0 } = {}) {
  const files = certified(scratch(), 'localhost', ahead);
  const port = await freePort();
  const hq = await serve({
    site: { name: 'hq', lines: [] },
    sites: { role: 'master' },
    mqtt: { enabled: true, host: '127.0.0.1', port, tls: files },
  });
  const passwordFile = join(scratch(), 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  const above = { name: 'hq', url: `mqtts://localhost:${port}`, ca: files.cert, user: 'north', passwordFile };
  const north = await serve({
    site: { name: 'north', lines: [] },
    sites: { role: 'satellite', syncId: 2, master: above },
    mqtt: { enabled: false, host: '127.0.0.1', port: 0 },
  });
  const list = async (): Promise<void> => {
    await hq.api.send('POST', '/sites/lock/code', { code: CODE });
    await hq.api.send('POST', '/sites/lock/open', { code: CODE });
    await hq.api.send('POST', '/sites', { syncId: 2, name: 'north', user: 'north', password: PASSWORD });
    await hq.api.send('POST', '/sites/lock/close');
  };
  return { hq, north, port, files, passwordFile, list };
}

const look = (api: Client, body: object = {}): Promise<Probe[]> =>
  api.send<Probe[]>('POST', '/sites/test-connection', body);

const states = (probes: readonly Probe[]): string[] =>
  probes.map(({ step, state, code }) => [step, state, ...(code === undefined ? [] : [code])].join(' '));

test('S8 test-connection over TLS, the API and a real broker: each step, at both ends, while locked, before and after the first login', async () => {
  const { hq, north, passwordFile, list } = await overTls();
  const unknown = await look(north.api);
  expect(states(unknown).slice(0, 4)).toEqual([
    'name ok',
    'port ok',
    'tls ok',
    'login failed SITES_PASSWORD',
  ]);
  expect(unknown.slice(4).map(({ state }) => state)).toEqual(Array.from({ length: 5 }, () => 'skipped'));
  await list();
  const all = await look(north.api);
  expect(states(all)).toEqual(
    ['name', 'port', 'tls', 'login', 'id', 'version', 'clock', 'round trip', 'password'].map(
      (step) => `${step} ok`,
    ),
  );
  await north.api.send('POST', '/sites/sync', {});
  expect((await look(north.api))[4]?.text).toContain('bound to this machine');
  writeFileSync(passwordFile, 'not the password\n');
  const wrong = states(await look(north.api));
  expect(wrong.slice(-2), 'the session does not tell').toEqual([
    'round trip ok',
    'password failed SITES_PASSWORD',
  ]);
  rmSync(passwordFile);
  expect(states(await look(north.api)).at(-1)).toBe('password failed SITES_PASSWORD_FILE');
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  expect(states(await look(north.api)).at(-1)).toBe('password ok');
  const seen = await look(hq.api, { site: 'north' });
  expect(new Set(seen.map(({ state }) => state)), states(seen).join()).toEqual(new Set(['ok']));
  await hq.service.stop();
  expect(states(await look(north.api)).slice(0, 3)).toEqual([
    'name ok',
    'port failed SITES_PORT',
    'tls skipped',
  ]);
}, 120_000);

test('S8 test-connection tells a name that nobody knows from a certificate that nobody vouches for, or that is of another name', async () => {
  const directory = scratch();
  const files = certified(directory, 'hq.example');
  const port = await freePort();
  await serve({
    site: { name: 'hq', lines: [] },
    sites: { role: 'master' },
    mqtt: { enabled: true, host: '127.0.0.1', port, tls: files },
  });
  const seen = (url: string, ca?: string): Promise<readonly Probe[]> =>
    probe(systemClock, brokerProbe(systemClock, { url, ca }));
  const [name] = await seen('mqtts://no-such-name.invalid');
  expect(name).toMatchObject({ state: 'failed', code: 'SITES_NAME' });
  const stranger = await seen(`mqtts://localhost:${port}`);
  expect(states(stranger)[2]).toBe('tls failed SITES_TLS');
  const other = await seen(`mqtts://localhost:${port}`, files.cert);
  expect(other[2]).toMatchObject({
    code: 'SITES_TLS',
    text: expect.stringContaining('hq.example') as string,
  });
}, 120_000);

/** Asks for TLS, and for nothing behind it. @returns whether it was answered before the connection was closed */
function shaken(port: number, ca: string, from: string): Promise<boolean> {
  return new Promise((resolve) => {
    const raw = connect({ port, host: '127.0.0.1', localAddress: from });
    raw.on('error', () => resolve(false));
    const socket = connectTls({ socket: raw, ca, servername: 'localhost' });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('secureConnect', () => resolve(true));
  });
}

test('S7 S12 a flood of TLS handshakes from an address costs no more than 16 of them a second, and a site goes on as ever', async (context) => {
  if (process.platform === 'darwin') context.skip('this system has one loopback address');
  const { hq, north, port, files, list } = await overTls();
  await list();
  await north.api.send('POST', '/sites/sync', {});
  const ca = readFileSync(files.cert, 'utf8');
  const began = systemClock.now();
  const flood = Promise.all(Array.from({ length: 400 }, () => shaken(port, ca, '127.0.0.9')));
  await hq.api.send('POST', '/users', { id: 7, name: 'Ada' });
  await north.api.send('POST', '/sites/sync', {});
  expect(await north.api.get('/users/7')).toMatchObject({ name: 'Ada' });
  expect(states(await look(north.api)).slice(0, 4), 'who connects anew').toEqual([
    'name ok',
    'port ok',
    'tls ok',
    'login ok',
  ]);
  const done = (await flood).filter((one) => one).length;
  const seconds = (systemClock.now() - began) / 1000;
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThanOrEqual(64 + 16 * seconds + 1);
}, 120_000);

const YEAR_MS = 365 * 86_400_000;

test.each([
  ['began in 1970', 10 * YEAR_MS, 'not yet valid'],
  ['says 2099', -10 * YEAR_MS, 'expired'],
])(
  'S8 S11 a machine whose clock %s is told that by its clock the certificate is not good',
  async (_, ahead, why) => {
    const { north } = await overTls({ ahead });
    const today = new Date(systemClock.wallTime()).toISOString().slice(0, 10);
    const told = new RegExp(
      `certificate (is|has) ${why}, by this machine’s clock, which shows ${today} \\d\\d:\\d\\d UTC`,
    );
    const tls = (await look(north.api))[2];
    expect(tls).toMatchObject({ state: 'failed', code: 'SITES_TLS' });
    expect(tls?.text).toMatch(told);
    expect(tls?.remedy).toContain('set this machine’s clock first');
    await expect(north.api.send('POST', '/sites/sync', {})).rejects.toMatchObject({
      view: { code: 'MQTT_CONNECT', message: expect.stringMatching(told) as string },
    });
    const { master } = await north.api.get<SitesStatus>('/sites');
    expect(master?.trouble?.text, 'and it stays in the status').toMatch(told);
  },
  120_000,
);
