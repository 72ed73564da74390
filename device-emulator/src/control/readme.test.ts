import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';
import { Asker, PAIRING_KEY } from '../testing/bench.ts';
import { runCommand } from '../testing/command.ts';
import { syncOnce } from '../testing/portable.ts';
import { serveControl } from './server.ts';
import type { Served } from './server.ts';

/** Who the README names. */
const FLEET = {
  lines: [
    {
      ...{ name: 'floor', listen: { port: 0 }, baud: 115_200, modbus: true },
      terminals: [1, 2, 3].map((n) => ({ name: `terminal-${n}`, address: n, bootMs: 0 })),
      modules: [{ name: 'door-7', unit: 40, registers: [{ name: 'contact', kind: 'discrete', address: 0 }] }],
    },
    {
      ...{ name: 'dock', listen: { port: 0 } },
      terminals: [{ name: 'north', address: 7, model: 'portable-5k', bootMs: 0 }],
    },
  ],
};

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const TYPED = [...README.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);
/** They start terminals, or read a file of the reader’s. */
const ELSEWHERE = /^(start|fleet|models \.)/;

let fleet: Fleet;
let served: Served;

beforeAll(async () => {
  fleet = await startFleet(fleetSchema.parse(FLEET), systemClock);
  const { terminal } = fleet.terminal('north');
  terminal.setKey(PAIRING_KEY);
  syncOnce(new Asker(terminal), terminal);
  served = await serveControl(fleet, 0);
});

afterAll(async () => {
  await served.app.close();
  await fleet.stop();
});

test('E6 every command that the README names does what it says', { timeout: 60_000 }, async () => {
  const commands = TYPED.flatMap((line) => {
    const [, typed = ''] = /^(?:npx )?whorl-emulator (.*?)(?:\s+[>#].*)?$/.exec(line) ?? [];
    return typed === '' || ELSEWHERE.test(typed) ? [] : [typed.split(' ')];
  });
  expect(commands.length).toBeGreaterThan(15);
  for (const [name = '', ...rest] of commands) {
    const port = name === 'models' ? [] : ['--control-port', String(served.port)];
    const { code, err } = await runCommand(name, ...port, ...rest);
    expect([name, ...rest, code, err]).toEqual([name, ...rest, 0, '']);
  }
});

test('E6 every line with curl that the README names can be pasted', { timeout: 60_000 }, async ({ skip }) => {
  if (spawnSync('curl', ['--version']).status !== 0) skip('there is no curl here');
  const lines = TYPED.filter((line) => line.startsWith('curl '));
  expect(lines.length).toBeGreaterThan(4);
  for (const line of lines) {
    const here = line.replace('localhost:7480', `127.0.0.1:${served.port}`);
    // What follows events goes on until it is ended.
    const typed = here.replace(/^curl /, 'curl -sS --max-time 1 ').replace('/events?', '/events?after=0&');
    const told = await new Promise<string>((resolve) => {
      execFile('sh', ['-c', typed], (_error, out, err) => {
        resolve(out + err.replace(/^curl: \(28\).*$/m, ''));
      });
    });
    expect(told, line).toMatch(/^[[{]|^: events\nretry: \d+\n\nid: \d+\ndata: \{/);
    expect(told, line).not.toContain('"code"');
  }
});
