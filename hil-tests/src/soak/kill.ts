import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fleetSchema, hasPty, startFleet } from '@whorl/device-emulator';
import type { Fleet } from '@whorl/device-emulator';
import { openStore } from '@whorl/gateway';
import type { Pairing } from '@whorl/gateway';
import { seededRandom, sleep, systemClock } from '@whorl/protocol';
import { scratchFolder } from '../rig/scratch.ts';

const CLI = fileURLToPath(import.meta.resolve('@whorl/gateway/cli/main'));
const ENROLLERS = ['terminal-1', 'terminal-3', 'terminal-5'];
const PATIENCE_MS = 600_000;
const LOOK_MS = 200;

export interface KillPlan {
  readonly users: number;
  readonly fingers: number;
  readonly kills: number;
  readonly seed: number;
}

export interface KillResult {
  readonly cycles: number;
  /** Users that some terminal lacks, or holds with another digest, in the end. */
  readonly lost: number;
  /** Events stored twice, and pulls beyond one a user and one a kill. */
  readonly twice: number;
  readonly seconds: number;
}

/**
 * Real gateway processes on pseudo-terminals and TCP: users are enrolled at three terminals at once while one line is
 * pulled out and put back, and the gateway is killed at random moments. In the end all six terminals hold the same.
 */
export async function killSoak(plan: KillPlan): Promise<KillResult> {
  const directory = scratchFolder('whorl-kill');
  const began = systemClock.now();
  const random = seededRandom(plan.seed);
  const ports = { floor: await freePort(), lab: await freePort(), gate: await freePort() };
  const fleet = await startFleet(fleetOf(directory, plan.seed, ports), systemClock);
  writeFileSync(join(directory, 'whorl.yaml'), configOf(directory, ports));
  await pairTerminals(directory, fleet);
  let gateway = startGateway(directory);
  try {
    enrolAll(fleet, plan);
    for (let kill = 0; kill < plan.kills; kill += 1) {
      await sleep(systemClock, 400 + random.below(1500));
      if (kill === 1) await fleet.line('floor').cable.unplug();
      if (kill === 2) await fleet.line('floor').cable.plug();
      await killed(gateway);
      gateway = startGateway(directory);
    }
    await fleet.line('floor').cable.plug();
    await agreement(fleet, plan.users);
    gateway.kill('SIGTERM');
    await exited(gateway);
    return {
      cycles: plan.kills,
      ...(await judge(directory, fleet, plan)),
      seconds: (systemClock.now() - began) / 1000,
    };
  } finally {
    await killed(gateway);
    await fleet.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Terminals that left their maker paired: pairing is not what is tried here. */
async function pairTerminals(directory: string, fleet: Fleet): Promise<void> {
  const store = openStore({ data: join(directory, 'data') });
  const pairings = new Map<string, Pairing>();
  for (const { terminals } of fleet.lines.values())
    for (const [name, terminal] of terminals) {
      const key = randomBytes(32);
      terminal.setKey(key);
      pairings.set(terminal.serial, { terminal: name, key });
    }
  await store.savePairings(pairings, []);
  await store.close();
}

function enrolAll(fleet: Fleet, plan: KillPlan): void {
  for (let user = 1; user <= plan.users; user += 1) {
    const name = ENROLLERS[user % ENROLLERS.length] ?? 'terminal-1';
    fleet.terminal(name).terminal.enrol({ user, name: `User ${user}`, fingers: plan.fingers });
  }
}

/** Waits until all terminals hold as many users and the same table, or patience ends. */
async function agreement(fleet: Fleet, users: number): Promise<void> {
  const end = systemClock.now() + PATIENCE_MS;
  while (systemClock.now() < end) {
    const terminals = terminalsOf(fleet);
    const tables = new Set(terminals.map((terminal) => terminal.tableDigest));
    if (tables.size === 1 && terminals[0]?.users().size === users) return;
    await sleep(systemClock, LOOK_MS);
  }
}

async function judge(
  directory: string,
  fleet: Fleet,
  plan: KillPlan,
): Promise<{ lost: number; twice: number }> {
  const store = openStore({ data: join(directory, 'data') });
  const events = await store.events({ limit: 1_000_000 });
  await store.close();
  const terminals = terminalsOf(fleet);
  let lost = 0;
  for (let user = 1; user <= plan.users; user += 1) {
    const digests = new Set(terminals.map((terminal) => terminal.users().get(user)));
    if (digests.size !== 1 || digests.has(undefined)) lost += 1;
  }
  const sources = events.flatMap((event) => event.source ?? []);
  const merges = events.filter((event) => event.type === 'user.merged').length;
  const extra = Math.max(0, merges - plan.users - plan.kills);
  return { lost, twice: sources.length - new Set(sources).size + extra };
}

function terminalsOf(fleet: Fleet): ReturnType<Fleet['terminal']>['terminal'][] {
  return [...fleet.lines.values()].flatMap((line) => [...line.terminals.values()]);
}

function startGateway(directory: string): ChildProcess {
  return spawn(process.execPath, [CLI, 'start', '--config', 'whorl.yaml'], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

function exited(child: ChildProcess): Promise<void> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await exited(child);
}

const BAUD = 921_600;
const FLOOR = [1, 2, 3, 4];

type Ports = Readonly<Record<'floor' | 'lab' | 'gate', number>>;

function fleetOf(directory: string, seed: number, ports: Ports): ReturnType<typeof fleetSchema.parse> {
  const floor = hasPty()
    ? { pty: { link: join(directory, 'floor.line') } }
    : { listen: { port: ports.floor } };
  const terminals = FLOOR.map((n) => ({ name: `terminal-${n}`, address: n, serial: `WX-00000${n}` }));
  return fleetSchema.parse({
    seed,
    lines: [
      { name: 'floor', ...floor, baud: BAUD, turnaroundMs: 0.2, terminals },
      {
        name: 'lab',
        listen: { port: ports.lab },
        terminals: [{ name: 'terminal-5', address: 1, serial: 'WX-000005' }],
      },
      {
        name: 'gate',
        listen: { port: ports.gate },
        terminals: [{ name: 'terminal-6', address: 1, serial: 'WX-000006' }],
      },
    ],
  });
}

function configOf(directory: string, ports: Ports): string {
  const link = JSON.stringify(join(directory, 'floor.line'));
  const floor = hasPty()
    ? `serial: { path: ${link}, baud: ${BAUD} }`
    : `tcp: { host: 127.0.0.1, port: ${ports.floor}, baud: ${BAUD} }`;
  const terminals = FLOOR.map((n) => `{ name: terminal-${n}, address: ${n} }`).join(', ');
  return `http: { port: 0 }
lines:
  - { name: floor, ${floor}, terminals: [${terminals}] }
  - { name: lab, tcp: { host: 127.0.0.1, port: ${ports.lab} }, terminals: [{ name: terminal-5 }] }
  - { name: gate, tcp: { host: 127.0.0.1, port: ${ports.gate} }, terminals: [{ name: terminal-6 }] }
`;
}
