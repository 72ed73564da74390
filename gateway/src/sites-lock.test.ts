import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { AnswerError, Client } from './cli/client.ts';
import { localSend } from './cli/transport.ts';
import type { AuditView } from './access/audit.ts';
import type { SitesStatus } from './sites/operations.ts';
import { startMaster } from './testing/master.ts';

const MAIN = fileURLToPath(new URL('cli/main.ts', import.meta.url));
const CODE = 'open-sesame-41';
const NORTH = { syncId: 2, name: 'north', user: 'north', password: 'correct horse battery' };

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-lock-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** @returns the code that it was refused with; `undefined` when it was done */
async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof AnswerError ? error.view.code : String(error);
  }
}

/** Runs `whorl` as a process of its own. */
function whorl(
  data: string,
  words: readonly string[],
  input = '',
): Promise<{ exit: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, '--data', data, ...words], (error, out, err) => {
      resolve({ exit: error === null ? 0 : Number(error.code), out, err });
    });
    child.stdin?.end(input);
  });
}

test('looking at the schedule and at rows set aside asks for no code', async () => {
  const data = scratch();
  const service = await startMaster(data);
  expect((await whorl(data, ['sites', 'schedule'])).err).toContain('SITES_ROLE: this gateway is master');
  expect((await whorl(data, ['sites', 'aside'])).out).toContain('No rows wait apart.');
  await service.stop();
});

test('S8 over the API no setting of the sync changes unless the lock is open, looking needs no code, and a restart neither opens it nor gives new tries', async () => {
  const data = scratch();
  let service = await startMaster(data);
  const api = new Client(localSend(data));
  const open = (code: string): Promise<string | undefined> =>
    refusal(api.send('POST', '/sites/lock/open', { code, minutes: 5 }));
  const changes = async (): Promise<(string | undefined)[]> => [
    await refusal(api.send('POST', '/sites', NORTH)),
    await refusal(api.send('PATCH', '/sites/north', { url: 'https://north' })),
    await refusal(api.send('POST', '/sites/north/reset')),
    await refusal(api.send('POST', '/sites/settings', { intervalMinutes: 0 })),
    await refusal(api.send('DELETE', '/sites/north')),
  ];
  expect(new Set(await changes())).toEqual(new Set(['SITES_CODE_NONE']));
  expect((await api.get<SitesStatus>('/sites')).lock).toEqual({ set: false });
  await api.send('POST', '/sites/lock/code', { code: CODE });
  expect(new Set(await changes())).toEqual(new Set(['SITES_LOCKED']));
  expect(await refusal(api.get('/sites/aside'))).toBeUndefined();
  expect(await open(CODE)).toBeUndefined();
  expect(await changes()).toEqual([undefined, undefined, undefined, 'SITES_ROLE', undefined]);
  for (let tries = 0; tries < 5; tries += 1) expect(await open('wrong')).toBe('SITES_CODE');
  await service.stop();
  service = await startMaster(data);
  expect(new Set(await changes())).toEqual(new Set(['SITES_LOCKED']));
  expect(await open(CODE)).toBe('SITES_CODE_RATE');
  const audit = await api.get<AuditView[]>('/audit?deed=sites.lock.open');
  expect(audit.map(({ who, outcome }) => [who, outcome])).toEqual([
    ['machine', 'done'],
    ...Array.from({ length: 5 }, () => ['machine', 'SITES_CODE']),
    ['machine', 'SITES_CODE_RATE'],
  ]);
  expect(JSON.stringify(await api.get('/audit'))).not.toContain(CODE);
  await service.stop();
}, 120_000);

test('S8 a lost code is taken away at the stopped machine only, which leaves the settings locked and is audited', async () => {
  const data = scratch();
  expect((await whorl(data, ['sites', 'lock', 'forget-code'])).err).toMatch(/^STORE_MISSING/);
  let service = await startMaster(data);
  const add = ['sites', 'add', 'north', '--id', '2'];
  expect((await whorl(data, add)).err, 'before its password is asked for').toMatch(/^SITES_CODE_NONE/);
  const set = await whorl(data, ['sites', 'lock', 'set-code', '--code-file', '-'], `${CODE}\n`);
  expect(set).toMatchObject({ exit: 0 });
  expect((await whorl(data, ['sites', 'lock', 'forget-code'])).err).toMatch(/^(STORE_BUSY|GATEWAY_RUNNING)/);
  const file = join(data, 'code');
  writeFileSync(file, `${CODE}\n`, { mode: 0o600 });
  const opened = await whorl(data, ['sites', 'unlock', '--minutes', '3', '--code-file', file]);
  expect(opened).toMatchObject({ exit: 0, out: 'Open for you for 3 minutes.\n' });
  expect((await whorl(data, ['sites'])).out).toContain('Settings   open for you until');
  await service.stop();
  expect(await whorl(data, ['sites', 'lock', 'forget-code'])).toMatchObject({ exit: 0 });
  service = await startMaster(data);
  expect((await whorl(data, ['sites'])).out).toContain('Settings   no code yet');
  const deeds = await new Client(localSend(data)).get<AuditView[]>('/audit?deed=sites.lock.forget');
  expect(deeds).toMatchObject([{ who: 'machine', outcome: 'done' }]);
  await service.stop();
}, 120_000);
