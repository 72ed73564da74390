import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom, systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Access } from '../access/access.ts';
import { Audit } from '../access/audit.ts';
import { startGateway } from '../gateway.ts';
import type { Gateway } from '../gateway.ts';
import { buildApi } from '../http/api.ts';
import { serveLocally } from '../http/socket.ts';
import { standalone } from '../http/testing/bench.ts';
import { Jobs } from '../jobs/jobs.ts';
import { Metrics } from '../metrics/metrics.ts';
import { silentLog } from '../settings/log.ts';
import { openStore } from '../store/open.ts';
import { EXIT } from './context.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'whorl-cli-'));
const file = (name: string): string => join(data, name);
let gateway: Gateway;
let stop: () => Promise<void>;

beforeAll(async () => {
  const store = openStore({ data });
  gateway = await startGateway({
    config: { name: 'hq', lines: [] },
    version: '0',
    store,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  });
  const { operations, tasks, hub } = gateway;
  const app = buildApi({
    ...{
      operations,
      tasks,
      sites: await standalone(gateway),
      store,
      hub,
      clock: systemClock,
      api: () => undefined,
      onFailure: () => undefined,
    },
    access: new Access({ store: store.access, clock: systemClock, random: seededRandom(2) }),
    jobs: new Jobs({
      ...{ store: store.jobs, clock: systemClock },
      ...{ ended: () => Promise.resolve(), onFailure: () => undefined },
    }),
    metrics: new Metrics(systemClock, { process: false }),
    audit: new Audit(store.audit, systemClock, () => undefined),
    door: 'local',
  });
  await serveLocally(app, data);
  stop = async () => {
    await app.close();
    await gateway.stop();
    await store.close();
    rmSync(data, { recursive: true, force: true });
  };
});
afterAll(() => stop());

/** Runs `whorl` as a process of its own. */
function whorl(...words: string[]): Promise<{ exit: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, '--data', data, ...words], (error, out, err) => {
      const exit = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exit, out, err });
    });
  });
}

test.concurrent.each<[string, string[], number, string, string]>([
  ['an unknown command', ['stauts'], EXIT.usage, 'USAGE', 'status'],
  ['an unknown option', ['status', '--fast'], EXIT.usage, 'USAGE', '--fast'],
  [
    'a data directory beside a configuration',
    ['start', '--config', 'whorl.yaml'],
    EXIT.usage,
    'USAGE',
    '--data',
  ],
  ['a missing argument', ['users', 'add'], EXIT.usage, 'USAGE', 'id'],
  ['an id that is none', ['users', 'show', 'seven'], EXIT.usage, 'REQUEST_INVALID', 'seven'],
  ['a number out of range', ['events', '--last', '0'], EXIT.usage, 'REQUEST_INVALID', '--last: '],
  [
    'an account of a name that is none',
    ['accounts', 'remove', 'Ada!'],
    EXIT.usage,
    'REQUEST_INVALID',
    '<name>: ',
  ],
  ['an unknown user', ['users', 'delete', '99'], EXIT.notFound, 'USER_UNKNOWN', '99'],
  ['an unknown conflict', ['conflicts', 'show', '99'], EXIT.notFound, 'CONFLICT_UNKNOWN', '99'],
  [
    'two decisions',
    ['conflicts', 'accept', '1', '--ours', '--theirs'],
    EXIT.usage,
    'REQUEST_INVALID',
    '--new-id',
  ],
  ['an unknown terminal', ['ledger', '--terminal', 'x'], EXIT.notFound, 'TERMINAL_UNKNOWN', 'x'],
  ['a terminal of a name that is none', ['compare', 'a b'], EXIT.notFound, 'TERMINAL_UNKNOWN', 'a b'],
  ['an unknown setting', ['settings', 'set', 'autoSink', 'off'], EXIT.usage, 'REQUEST_INVALID', 'autoSync'],
  [
    'a value that does not fit',
    ['settings', 'set', 'autoSync', 'on'],
    EXIT.usage,
    'REQUEST_INVALID',
    'autoSync',
  ],
  ['a card that is none', ['users', 'add', '7', '--card', 'XY'], EXIT.usage, 'REQUEST_INVALID', '--card: '],
  ['a file that is not there', ['users', 'import', file('none.csv')], EXIT.usage, 'FILE_READ', 'none.csv'],
  ['a folder that is not there', ['users', 'export', file('none/a.csv')], EXIT.failed, 'FILE_WRITE', 'none'],
  [
    'templates without a passphrase',
    ['users', 'export', file('a.bin'), '--with-templates'],
    EXIT.usage,
    'REQUEST_INVALID',
    '--passphrase-file',
  ],
  [
    'a configuration that is not there',
    ['config', 'check', file('none.yaml')],
    EXIT.usage,
    'CONFIG_READ',
    'none.yaml',
  ],
])(
  '%s ends with its exit code, and says code, place and remedy',
  async (...[, words, exit, code, named]) => {
    const answer = await whorl(...words);
    expect(answer).toMatchObject({ exit, out: '' });
    const [first = '', remedy = ''] = answer.err.split('\n');
    expect(first).toMatch(new RegExp(`^${code}: .*${named}`));
    expect(remedy.trim()).not.toBe('');
    expect(answer.err).not.toMatch(/\n\s+at /);
  },
  30_000,
);

test('with --json errors are for programs', { timeout: 30_000 }, async () => {
  const { exit, err } = await whorl('--json', 'users', 'show', '99');
  expect(exit).toBe(EXIT.notFound);
  expect(JSON.parse(err)).toMatchObject({ code: 'USER_UNKNOWN', remedy: expect.any(String) as string });
});

test(
  'a file with a bad row changes nobody, unless bad rows may be left out',
  { timeout: 30_000 },
  async () => {
    writeFileSync(file('rows.csv'), 'id,name,card_0\n11,Ada,04A1\n12,Grace,zz\n13,Joan,\n');
    const refused = await whorl('users', 'import', file('rows.csv'));
    expect(refused).toMatchObject({ exit: EXIT.usage, out: '' });
    expect(refused.err).toMatch(/IMPORT_ROW: .*rows\.csv:3: column card_0: /);
    expect((await gateway.operations.status()).users).toBe(0);
    const dry = await whorl('users', 'import', '--skip-bad', '--dry-run', file('rows.csv'));
    expect(dry).toMatchObject({ exit: 0, out: 'Nothing would change at any terminal.\n' });
    const taken = await whorl('users', 'import', '--skip-bad', file('rows.csv'));
    expect(taken).toMatchObject({ exit: 0 });
    expect(taken.err).toContain('left out: ');
    expect((await gateway.operations.status()).users).toBe(2);
  },
);

test('where no gateway runs, that is said, with what to do', { timeout: 30_000 }, async () => {
  const answer = await whorl('--data', file('elsewhere'), 'status');
  expect(answer.exit).toBe(EXIT.unreachable);
  expect(answer.err).toMatch(/^GATEWAY_UNREACHABLE: .*elsewhere\n {2}.*whorl start/);
});

test('B13 a dry run says what would change, and changes nothing', { timeout: 30_000 }, async () => {
  const dry = await whorl('settings', 'set', 'autoSync', 'access-groups', '--dry-run');
  expect(dry).toMatchObject({ exit: 0, out: 'Nothing would change at any terminal.\n' });
  expect((await gateway.operations.settings()).autoSync).toBe('all-with-device-updates');
  const preview = await whorl('--json', 'users', 'delete', '1', '2', '--dry-run');
  expect(JSON.parse(preview.out)).toMatchObject({ guarded: false, terminals: [], users: [] });
  const refused = await whorl('settings', 'set', 'autoSync', 'off', '--confirm', 'something');
  expect(refused).toMatchObject({ exit: EXIT.failed, out: '' });
  expect(refused.err).toMatch(/^GUARD_CHANGED: .*\n {2}.*dry run/);
});
