import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { greetSocket } from '@whorl/gateway/terminals/whorl/greet';
import { systemClock } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';

const CLI = fileURLToPath(import.meta.resolve('@whorl/device-emulator/control/cli'));
const random: Random = { below: (bound) => randomInt(bound), bytes: (length) => randomBytes(length) };

/**
 * From `whorl-emulator start` of terminals that dial, each over a connection of its own, until every one has said who it
 * is: a process of its own, as a rig starts it.
 */
export async function benchEmulator({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const count = quick ? 100 : 5_000;
  const directory = mkdtempSync(join(tmpdir(), 'whorl-bench-'));
  const sockets = new Set<Socket>();
  const server = createServer();
  let emulator: ChildProcess | undefined;
  try {
    const answered = allAnswered(server, count, sockets);
    server.listen({ port: 0, host: '127.0.0.1', backlog: count });
    await once(server, 'listening');
    const fleet = join(directory, 'fleet.json');
    writeFileSync(fleet, JSON.stringify(fleetOf(count, (server.address() as AddressInfo).port)));
    const began = performance.now();
    emulator = spawn(process.execPath, [CLI, 'start', '--config', fleet, '--control-port', '0'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = once(emulator, 'exit').then(([code]) => {
      throw new Error(`the emulator has ended with ${code}`);
    });
    await Promise.race([answered, ended]);
    return { 'emulator.ready_5000_s': (performance.now() - began) / 1000 };
  } finally {
    emulator?.removeAllListeners('exit');
    emulator?.kill('SIGKILL');
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function fleetOf(count: number, port: number): object {
  const names = Array.from({ length: count }, (_, index) => `t${index + 1}`);
  return { lines: names.map((name) => ({ name: `l-${name}`, dial: { port }, terminals: [{ name }] })) };
}

function allAnswered(server: Server, count: number, sockets: Set<Socket>): Promise<void> {
  const known = new Set<string>();
  return new Promise((resolve) => {
    server.on('connection', (socket) => {
      sockets.add(socket.on('error', () => undefined));
      // One that is not ready yet dials again.
      const sendAway = (): void => void socket.destroy();
      greetSocket(socket, systemClock, random).then((serial) => {
        known.add(serial);
        if (known.size === count) resolve();
      }, sendAway);
    });
  });
}
