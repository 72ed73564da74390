import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeUser, readRecord, seededRandom, systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { silentLog } from './settings/log.ts';
import { beginRun, openSites } from './sites-service.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { NO_POSTGRES, postgresPrograms, startPostgres } from './store/testing/postgres.ts';
import type { PostgresServer } from './store/testing/postgres.ts';
import { mergePulled } from './sync/pulled.ts';

const CLI = fileURLToPath(new URL('./cli/main.ts', import.meta.url));
const PASSWORD = 'correct horse battery';
const PATIENCE = { timeout: 60_000, interval: 50 };
const NO_MOSQUITTO = 'no Mosquitto here: apt-get install mosquitto';

const programs = postgresPrograms();
const mosquitto = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  (path) => existsSync(path),
);
let server: PostgresServer | undefined;
let folder = '';
let broker: { readonly port: number; readonly child: ChildProcess } | undefined;

beforeAll(async () => {
  if (programs === undefined || mosquitto === undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'whorl-masters-'));
  writeFileSync(join(folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  server = await startPostgres(programs);
  const port = await freePort();
  writeFileSync(join(folder, 'mosquitto.conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const child = spawn(mosquitto, ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' });
  broker = { port, child };
}, 60_000);
afterAll(async () => {
  broker?.child.kill('SIGKILL');
  await server?.stop();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A master as a process of its own. */
class Process {
  readonly name: string;
  readonly #data: string;
  readonly #config: string;
  #child: ChildProcess | undefined;

  constructor(name: string, like?: Process) {
    this.name = name;
    const home = join(folder, name);
    this.#data = join(home, 'data');
    this.#config = join(home, 'whorl.yaml');
    mkdirSync(this.#data, { recursive: true, mode: 0o700 });
    if (like !== undefined) cpSync(join(like.#data, 'master.key'), join(this.#data, 'master.key'));
    const { url, passwordFile } = server ?? { url: '', passwordFile: '' };
    writeFileSync(
      this.#config,
      `gateway: { name: hq }
database: { url: "${url}", passwordFile: "${passwordFile}", schema: masters, member: ${name} }
http: { enabled: false }
mqtt: { enabled: true, external: { url: "mqtt://127.0.0.1:${broker?.port ?? 0}", user: hq, passwordFile: ../password } }
site: { role: master }
lines: []
`,
    );
    onTestFinished(() => this.kill());
  }

  async start(): Promise<void> {
    this.#child = spawn(process.execPath, [CLI, 'start', '--config', this.#config], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await vi.waitFor(async () => expect((await this.ask('GET', '/status')).status).toBe(200), PATIENCE);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  ask(method: string, path: string, body?: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const socketPath = join(this.#data, 'run', 'gateway.sock');
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const asked = request({ socketPath, method, path, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.once('end', () => {
          resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) });
        });
      });
      asked.once('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Which process speaks with which satellite. */
  async holders(): Promise<Record<string, string | undefined>> {
    const { body } = await this.ask('GET', '/sites');
    const schema = z.object({
      sites: z.array(z.object({ name: z.string(), process: z.string().optional() })),
    });
    return Object.fromEntries(schema.parse(body).sites.map(({ name, process: by }) => [name, by]));
  }

  async hasHouse(): Promise<boolean> {
    return (await this.ask('GET', '/vault')).status === 200;
  }

  /** The API of a process is closed for a moment while it takes over; whoever was cut off asks again. */
  async addUsers(from: number, count: number): Promise<void> {
    for (let id = from; id < from + count; id += 1) {
      let again = false;
      await vi.waitFor(async () => {
        const before = again;
        again = true;
        const { status } = await this.ask('POST', '/users', { id, name: `User ${id}` });
        expect(status).toSatisfy((it: number) => it === 201 || (before && it === 409));
      }, PATIENCE);
    }
  }
}

async function satellite(name: string, syncId: number): Promise<Gateway> {
  const store = openStore({ data: { memory: true } });
  const random = seededRandom(syncId);
  const about = { store, clock: systemClock, random, log: silentLog };
  await beginRun(store, { role: 'satellite' }, random);
  const gateway = await startGateway({ ...about, config: { name, lines: [] }, version: '0' });
  const data = join(folder, name);
  mkdirSync(data, { recursive: true });
  const url = `mqtt://127.0.0.1:${broker?.port ?? 0}`;
  const master = { name: 'hq', url, user: name, passwordFile: join(folder, 'password') };
  const sites = await openSites({
    ...{ config: { role: 'satellite', syncId, master }, name, site: gateway.site, data },
    ...{ clock: systemClock, random, log: silentLog },
    status: () => gateway.operations.status(),
  });
  sites.start(undefined);
  onTestFinished(async () => {
    await sites.stop();
    await gateway.stop();
    await store.close();
  });
  return gateway;
}

/** Somebody is enrolled at a terminal of a satellite. */
async function enrol({ site }: Gateway, user: number, name: string): Promise<void> {
  const record = readRecord(encodeUser({ id: user, name }));
  const can = {
    ...{ users: 1000, logs: 1000, cards: 8, fingers: 10, faces: 5, mtu: 1100, window: 1 },
    ...{ cardFormats: [1], fingerFormats: [1], faceFormats: [1] },
    does: { patches: true, portable: false, clock: true },
    holds: { validity: true, pin: true, authMode: true, groups: true, photo: true },
  };
  await mergePulled(site, { user, terminal: 'door', log: 1, changed: site.now }, record, can);
}

async function namesAt(store: Store): Promise<Record<number, string>> {
  const users = await store.users({ limit: 10_000 });
  return Object.fromEntries(users.map(({ id, name }) => [id, name]));
}

async function namesAtMaster(process: Process): Promise<Record<number, string>> {
  const { body } = await process.ask('GET', '/users?limit=1000');
  const users = z.array(z.object({ id: z.number(), name: z.string() })).parse(body);
  return Object.fromEntries(users.map(({ id, name }) => [id, name]));
}

test('S12 two masters share a database and the satellites; each is killed in turn amid the exchange, the other goes on, and nothing is lost or doubled', async (context) => {
  if (server === undefined) context.skip(NO_POSTGRES);
  if (mosquitto === undefined) context.skip(NO_MOSQUITTO);
  const a = new Process('hq-a');
  await a.start();
  const b = new Process('hq-b', a);
  await b.start();
  expect([await a.hasHouse(), await b.hasHouse()]).toEqual([true, false]);
  expect((await b.ask('GET', '/vault')).body).toMatchObject({
    code: 'MEMBER_ELSEWHERE',
    message: expect.stringContaining('hq-a has the house') as string,
  });

  expect(await a.ask('POST', '/vault/rotate', {}), 'while the other is at work').toMatchObject({
    status: 409,
    body: { code: 'VAULT_SHARED', message: expect.stringContaining('hq-b') as string },
  });

  const code = 'open sesame 47';
  expect((await a.ask('POST', '/sites/lock/code', { code })).status).toBe(200);
  for (const process of [a, b])
    expect((await process.ask('POST', '/sites/lock/open', { code })).status).toBe(200);
  const site = { url: '', password: PASSWORD };
  for (const [process, name, syncId] of [
    [a, 'north', 2],
    [b, 'south', 3],
  ] as const) {
    const added = await process.ask('POST', '/sites', { ...site, name, syncId, user: name });
    expect(added).toMatchObject({ status: 200 });
  }
  await vi.waitFor(async () => {
    const holders = await a.holders();
    expect(Object.values(holders).sort()).toEqual(['hq-a', 'hq-b']);
    expect(await b.holders()).toEqual(holders);
  }, PATIENCE);
  const [north, south] = [await satellite('north', 2), await satellite('south', 3)];
  await a.addUsers(1, 10);
  await b.addUsers(11, 10);
  await vi.waitFor(async () => {
    expect(await north.store.countUsers()).toBe(20);
    expect(await south.store.countUsers()).toBe(20);
  }, PATIENCE);

  for (const [round, [dies, stays]] of (
    [
      [a, b],
      [b, a],
    ] as const
  ).entries()) {
    const first = 100 * (round + 1);
    await enrol(north, first + 50, `North ${first}`);
    await enrol(south, first + 51, `South ${first}`);
    await dies.addUsers(first, 10);
    await dies.kill();
    await stays.addUsers(first + 10, 10);
    await vi.waitFor(async () => {
      expect(Object.values(await stays.holders())).toEqual([stays.name, stays.name]);
      expect(await stays.hasHouse()).toBe(true);
    }, PATIENCE);
    await vi.waitFor(async () => {
      const names = await namesAtMaster(stays);
      expect(Object.keys(names)).toHaveLength(20 + (round + 1) * 22);
      expect(await namesAt(north.store)).toEqual(names);
      expect(await namesAt(south.store)).toEqual(names);
    }, PATIENCE);
    await dies.start();
    await vi.waitFor(async () => {
      expect(new Set(Object.values(await dies.holders())).size).toBe(2);
    }, PATIENCE);
  }

  const { body } = await a.ask('GET', '/events?type=user.added&limit=1000');
  const added = z.array(z.object({ user: z.number() })).parse(body);
  expect(added.map(({ user }) => user).sort((x, y) => x - y)).toEqual(
    [...new Set(added.map(({ user }) => user))].sort((x, y) => x - y),
  );
  for (const { store } of [north, south]) {
    const events = await store.events({ type: 'user.added', limit: 1000 });
    expect(new Set(events.map(({ user }) => user)).size).toBe(events.length);
    for (const { version, id } of await store.users({ limit: 1000 })) expect([id, version]).toEqual([id, 1]);
  }
}, 180_000);
