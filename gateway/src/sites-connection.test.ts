import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const states = (probes: readonly Probe[]): string[] =>
  probes.map(({ step, state, code }) => [step, state, ...(code === undefined ? [] : [code])].join(' '));

test('S8 test-connection over TLS, the API and a real broker: each step, at both ends, while locked, before and after the first login', async () => {
  const files = certified(scratch(), 'localhost');
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
  const look = (api: Client, body: object = {}): Promise<Probe[]> =>
    api.send<Probe[]>('POST', '/sites/test-connection', body);
  const unknown = await look(north.api);
  expect(states(unknown).slice(0, 4)).toEqual([
    'name ok',
    'port ok',
    'tls ok',
    'login failed SITES_PASSWORD',
  ]);
  expect(unknown.slice(4).map(({ state }) => state)).toEqual(Array.from({ length: 5 }, () => 'skipped'));
  await hq.api.send('POST', '/sites/lock/code', { code: CODE });
  await hq.api.send('POST', '/sites/lock/open', { code: CODE });
  await hq.api.send('POST', '/sites', { syncId: 2, name: 'north', user: 'north', password: PASSWORD });
  await hq.api.send('POST', '/sites/lock/close');
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
  const look = (url: string, ca?: string): Promise<readonly Probe[]> =>
    probe(systemClock, brokerProbe(url, ca));
  const [name] = await look('mqtts://no-such-name.invalid');
  expect(name).toMatchObject({ state: 'failed', code: 'SITES_NAME' });
  const stranger = await look(`mqtts://localhost:${port}`);
  expect(states(stranger)[2]).toBe('tls failed SITES_TLS');
  const other = await look(`mqtts://localhost:${port}`, files.cert);
  expect(other[2]).toMatchObject({
    code: 'SITES_TLS',
    text: expect.stringContaining('hq.example') as string,
  });
}, 120_000);
