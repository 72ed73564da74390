import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { startService } from '../service.ts';
import type { Service } from '../service.ts';
import type { Config } from '../settings/config.ts';
import { silentLog } from '../settings/log.ts';
import { EXIT } from './context.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'whorl-cli-backup-'));
const file = (name: string): string => join(home, name);
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

function start(): Promise<Service> {
  const config: Config = {
    site: { name: 'hq', lines: [] },
    data: file('data'),
    http: { enabled: false, host: '127.0.0.1', port: 0, names: [] },
    mqtt: { enabled: false, host: '127.0.0.1', port: 0 },
    logLevel: 'error',
  };
  return startService(config, silentLog);
}

/** Runs `whorl` as a process of its own. */
function whorl(...words: string[]): Promise<{ exit: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, '--data', file('data'), ...words], (error, out, err) => {
      const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exit, out, err });
    });
  });
}

interface Deed {
  readonly deed: string;
  readonly who: string;
  readonly target: string;
  readonly outcome: string;
  readonly detail?: unknown;
}

async function deeds(...names: string[]): Promise<Deed[]> {
  const list = JSON.parse((await whorl('--json', 'audit', 'list', '--last', '100')).out) as Deed[];
  return list.filter(({ deed }) => names.includes(deed));
}

test(
  'B17 G7 backup, erasure, change of the master key and restore, as an installer does them',
  { timeout: 180_000 },
  async () => {
    let service = await start();
    expect(await whorl('users', 'add', '7', '--name', 'Grace')).toMatchObject({ exit: 0 });
    expect(await whorl('users', 'add', '8', '--name', 'Ada')).toMatchObject({ exit: 0 });
    const made = await whorl('--json', 'backup', file('site.whorl'));
    expect(JSON.parse(made.out)).toMatchObject({ users: 2, file: file('site.whorl') });
    const again = await whorl('backup', file('site.whorl'));
    expect(again).toMatchObject({ exit: EXIT.failed, out: '' });
    expect(again.err).toMatch(/^BACKUP_EXISTS: .*site\.whorl/);

    expect((await whorl('users', 'erase', '7')).err).toMatch(/^USAGE: .*--reason/);
    const erased = await whorl('--json', 'users', 'erase', '7', '--reason', 'request 17');
    const { keys } = JSON.parse(erased.out) as { keys: string[] };
    expect(keys).toHaveLength(1);
    expect(await whorl('users', 'erase', '7', '--reason', 'again')).toMatchObject({ exit: EXIT.notFound });
    expect(await deeds('users.erase', 'users.erased')).toMatchObject([
      {
        deed: 'users.erase',
        who: 'machine',
        target: 'user 7',
        outcome: 'done',
        detail: { reason: 'request 17' },
      },
      {
        deed: 'users.erased',
        target: 'user 7',
        outcome: 'done',
        detail: { reason: 'request 17', keys, unreached: [] },
      },
      { deed: 'users.erase', target: 'user 7', outcome: 'USER_UNKNOWN' },
    ]);

    const old = readFileSync(join(file('data'), 'master.key'), 'utf8');
    const rotated = await whorl('vault', 'rotate', '--data-keys');
    expect(rotated).toMatchObject({ exit: 0, err: '' });
    expect(rotated.out).toContain('Master key number 2 is in use');
    const status = await whorl('--json', 'vault', 'status');
    expect(JSON.parse(status.out)).toMatchObject({
      master: { number: 2, kind: 'file' },
      former: [],
      todo: [],
    });
    const key = readFileSync(join(file('data'), 'master.key'), 'utf8');
    expect(key).not.toBe(old);
    for (const secret of [key.trim(), old.trim()]) expect(rotated.out + status.out).not.toContain(secret);
    expect(await deeds('vault.rotate', 'vault.rotated')).toMatchObject([
      { deed: 'vault.rotate', who: 'machine', outcome: 'done' },
      { deed: 'vault.rotated', target: 'master key 2', outcome: 'done' },
    ]);

    const running = await whorl('restore', file('site.whorl'), '--yes');
    expect(running.err).toMatch(/^GATEWAY_RUNNING: /);
    await service.stop();
    expect((await whorl('restore', file('site.whorl'))).err).toMatch(/^BACKUP_REPLACES: .*whorl\.db/);
    expect((await whorl('restore', file('none.whorl'), '--yes')).err).toMatch(/^BACKUP_BAD: .*none\.whorl/);
    const restored = await whorl('--json', 'restore', file('site.whorl'), '--yes');
    expect(restored).toMatchObject({ exit: 0 });
    const { aside = '', ...report } = JSON.parse(restored.out) as { aside?: string };
    expect(report).toEqual({ users: 1, erased: 1, terminals: 0 });
    expect(existsSync(aside)).toBe(true);

    service = await start();
    const users = await whorl('--json', 'users', 'list');
    expect(JSON.parse(users.out)).toMatchObject([{ id: 8, name: 'Ada' }]);
    expect(await deeds('backup.restore')).toMatchObject([{ who: 'machine', outcome: 'done' }]);
    expect(await whorl('audit', 'verify')).toMatchObject({ exit: 0 });
    await service.stop();
    expect(readdirSync(file('data')).filter((name) => name.startsWith('master.key'))).toEqual(['master.key']);
  },
);
