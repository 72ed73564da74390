import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { fleetSchema, startFleet } from '@whorl/device-emulator';
import type { Fleet } from '@whorl/device-emulator';
import { openStore } from '@whorl/gateway';
import { sleep, systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { fileLimit, mayLimit, mayMount, smallDisk } from '../rig/disk.ts';
import { freePort } from '../soak/kill.ts';

const CLI = fileURLToPath(import.meta.resolve('@whorl/gateway/cli/main'));
const NOBODY = 65_534;

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** Runs a command to its end. @param user who it runs as */
function whorl(directory: string, args: readonly string[], user?: number): Promise<Ended> {
  const as = user === undefined ? {} : { uid: user, gid: user };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI, ...args],
      { cwd: directory, ...as, timeout: 60_000 },
      (_error, out, err) => {
        resolve({ code: child.exitCode, text: out + err });
      },
    );
  });
}

function made(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-database-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

const NO_FACES = 'http: { enabled: false }\nmqtt: { enabled: false }\n';
const NO_LINES = `${NO_FACES}lines: []\n`;

async function within<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = systemClock.now() + 60_000; systemClock.now() < end;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    await sleep(systemClock, 100);
  }
  throw new Error(`awaited in vain: ${what}`);
}

/** Asks the API on the socket of the data directory. */
function ask(
  data: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request(
      { socketPath: join(data, 'run', 'gateway.sock'), method, path, headers },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.once('end', () => {
          resolve({ status: answer.statusCode ?? 0, body: text });
        });
      },
    );
    asked.once('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function twoDoors(directory: string): Promise<Fleet> {
  const ports = { lab: await freePort(), gate: await freePort() };
  const fleet = await startFleet(
    fleetSchema.parse({
      seed: 1,
      lines: Object.entries(ports).map(([name, port]) => ({
        ...{ name, listen: { port } },
        terminals: [{ name: `at-${name}`, address: 1, serial: `WX-${name}` }],
      })),
    }),
    systemClock,
  );
  onTestFinished(() => fleet.stop());
  const lines = Object.entries(ports).map(
    ([name, port]) =>
      `  - { name: ${name}, tcp: { host: 127.0.0.1, port: ${port} }, terminals: [{ name: at-${name} }] }\n`,
  );
  writeFileSync(join(directory, 'whorl.yaml'), `${NO_FACES}lines:\n${lines.join('')}`);
  const store = openStore({ data: join(directory, 'data') });
  const key = new Uint8Array(32).fill(7);
  for (const name of Object.keys(ports)) fleet.terminal(`at-${name}`).terminal.setKey(key);
  await store.savePairings(
    new Map(Object.keys(ports).map((name) => [`WX-${name}`, { terminal: `at-${name}`, key }])),
    [],
  );
  await store.close();
  return fleet;
}

function started(directory: string): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'start', '--config', 'whorl.yaml'], {
    cwd: directory,
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    await ended(child, 'SIGKILL');
  });
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exit;
}

async function online(data: string): Promise<true> {
  return within('both terminals online', async () => {
    const { body } = await ask(data, 'GET', '/status');
    return body.match(/"state":"online"/g)?.length === 2 || undefined;
  });
}

test.skipIf(!mayLimit())(
  'B7 a gateway process whose disk fails lives on, says so, is killed, and everything is saved once by the next [tcp]',
  { timeout: 120_000 },
  async () => {
    const directory = made();
    const data = join(directory, 'data');
    const fleet = await twoDoors(directory);
    const first = started(directory);
    await online(data);
    await within(
      'the logs read',
      async () => (await ask(data, 'GET', '/events')).body.includes('terminal.started') || undefined,
    );
    fileLimit(data, first.pid).begin();
    fleet.terminal('at-lab').terminal.enrol({ user: 1042, fingers: 2 });
    await within(
      'the user known to wait',
      async () => (await ask(data, 'GET', '/status')).body.includes('"waiting":1') || undefined,
    );
    const refused = await ask(data, 'POST', '/users', { id: 9, name: 'Eve' });
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body)).toMatchObject({
      code: 'STORE_IO',
      remedy: expect.any(String) as string,
    });
    const { text } = await whorl(directory, ['--data', data, 'status']);
    expect(text).toMatch(
      /Database: cannot write since \d{4}-\S+ [\d:]{8}: the disk fails, 1 user waits at a terminal \(STORE_IO: .*whorl\.db/,
    );
    expect((await ask(data, 'GET', '/metrics')).body).toMatch(/^whorl_database_failing 1$/m);
    await ended(first, 'SIGKILL');
    const second = started(directory);
    await online(data);
    await within(
      'the user at the other door',
      async () => fleet.terminal('at-gate').terminal.users().has(1042) || undefined,
    );
    expect(await ended(second, 'SIGTERM')).toBe(0);
    const store = openStore({ data });
    const events = await store.events({ limit: 1000 });
    await store.close();
    const of = (type: string): unknown[] =>
      events.filter((event) => event.type === type).map(({ terminal, user }) => [terminal, user]);
    expect(of('db.save.failed')).toEqual([['at-lab', 1042]]);
    expect(of('db.save.recovered')).toHaveLength(1);
    expect(of('user.merged')).toEqual([['at-lab', 1042]]);
  },
);

test.skipIf(!mayLimit())(
  'B7 a gateway whose disk fails stops when it is asked to',
  { timeout: 60_000 },
  async () => {
    const directory = made();
    const data = join(directory, 'data');
    await twoDoors(directory);
    const child = started(directory);
    await online(data);
    fileLimit(data, child.pid).begin();
    await within(
      'it failing',
      async () => (await ask(data, 'POST', '/users', { id: 9, name: 'Eve' })).status === 503 || undefined,
    );
    expect(await ended(child, 'SIGTERM')).toBe(0);
  },
);

test.skipIf(!mayMount())(
  'B7 on a full disk a gateway does not start, and says why with code, file and remedy',
  { timeout: 60_000 },
  async () => {
    const disk = smallDisk('2m');
    onTestFinished(() => disk.remove());
    const config = join(disk.path, 'whorl.yaml');
    writeFileSync(config, NO_LINES);
    disk.begin();
    const { code, text } = await whorl(disk.path, ['--json', 'start', '--config', config]);
    expect(code).toBe(1);
    expect(text).toContain('STORE_FULL');
    expect(text).toContain(disk.path);
    expect(text).toContain('Make room');
    expect(readdirSync(join(disk.path, 'data')).filter((name) => name.endsWith('.new'))).toEqual([]);
  },
);

test(
  'B7 where it may not write a gateway does not start, and says why with code, file and remedy',
  {
    timeout: 60_000,
  },
  async () => {
    const directory = made();
    const data = join(directory, 'data');
    const asRoot = process.getuid?.() === 0;
    mkdirSync(data);
    await openStore({ data }).close();
    writeFileSync(join(directory, 'whorl.yaml'), NO_LINES);
    chmodSync(directory, 0o755);
    for (const name of readdirSync(data)) {
      if (asRoot) chownSync(join(data, name), NOBODY, NOBODY);
      chmodSync(join(data, name), 0o400);
    }
    chmodSync(data, 0o555);
    const { code, text } = await whorl(
      directory,
      ['--json', 'start', '--config', 'whorl.yaml'],
      asRoot ? NOBODY : undefined,
    );
    chmodSync(data, 0o755);
    expect(code).toBe(1);
    expect(text).toContain('STORE_READONLY');
    expect(text).toContain('whorl.db');
    expect(text).toContain('Check permissions');
  },
);

test(
  'B7 while another program holds the database a gateway does not start, and holds it against others itself',
  {
    timeout: 60_000,
  },
  async () => {
    const directory = made();
    const data = join(directory, 'data');
    await openStore({ data }).close();
    writeFileSync(join(directory, 'whorl.yaml'), NO_LINES);
    const holder = new DatabaseSync(join(data, 'whorl.db'));
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    const { code, text } = await whorl(directory, ['--json', 'start', '--config', 'whorl.yaml']);
    holder.exec('ROLLBACK');
    holder.close();
    expect(code).toBe(1);
    expect(text).toContain('STORE_BUSY');
    expect(text).toContain('whorl.db');
    const child = started(directory);
    await within('it running', async () => (await ask(data, 'GET', '/status')).status === 200 || undefined);
    const other = new DatabaseSync(join(data, 'whorl.db'));
    expect(() => {
      other.exec('BEGIN EXCLUSIVE');
    }).toThrow(/locked/);
    other.close();
    expect((await ask(data, 'POST', '/users', { id: 9, name: 'Eve' })).status).toBe(201);
    expect(await ended(child, 'SIGTERM')).toBe(0);
  },
);
