import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@whorl/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasPty } from '../bus/pty.ts';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';

const run = promisify(execFile);
/** mbpoll, of libmodbus: somebody else's idea of Modbus. */
const isHere = spawnSync('mbpoll', ['-V']).error === undefined;
const TIMEOUT_MS = 30_000;

async function fleetWith(buses: (folder: string) => object[]): Promise<{ fleet: Fleet; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-modbus-'));
  const config = fleetSchema.parse({
    lines: [
      {
        name: 'floor',
        listen: { port: 0 },
        baud: 115_200,
        terminals: [{ name: 't1', address: 5 }],
      },
    ],
    modbus: buses(folder),
  });
  const fleet = await startFleet(config, systemClock);
  onTestFinished(async () => {
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { fleet, folder };
}

const MODULES = [
  {
    name: 'door-7',
    unit: 40,
    registers: [
      { name: 'contact', kind: 'discrete', address: 7, value: 1 },
      { name: 'relay', kind: 'coil', address: 3 },
      { name: 'target', kind: 'holding', address: 301, value: 195 },
    ],
  },
];

/** What mbpoll prints of registers: `[address]: value`; it counts from 1 unless told otherwise. */
async function mbpoll(...given: string[]): Promise<Map<number, number>> {
  const { stdout } = await run('mbpoll', ['-1', '-0', '-q', '-o', '2', ...given]);
  return new Map(
    [...stdout.matchAll(/^\[(\d+)\]:\s+(-?\d+)/gm)].map(([, address, value]) => [
      Number(address),
      Number(value),
    ]),
  );
}

describe.skipIf(!isHere)('P13 an independent Modbus master reads and writes (needs mbpoll)', () => {
  test('P13 over TCP', { timeout: TIMEOUT_MS }, async () => {
    const { fleet } = await fleetWith(() => [
      { name: 'io', listen: { port: 0 }, terminals: ['t1'], modules: MODULES },
    ]);
    const port = /port (\d+)/.exec(fleet.buses[0]?.cable.place ?? '')?.[1] ?? '';
    const at = ['-m', 'tcp', '-p', port];
    fleet.terminal('t1').terminal.sensors.batteryMv = 3712;
    fleet.terminal('t1').terminal.sensors.docked = true;
    expect(await mbpoll(...at, '-a', '5', '-t', '3', '-r', '0', '-c', '3', '127.0.0.1')).toEqual(
      new Map([
        [0, 12_000],
        [1, 3712],
        [2, 0],
      ]),
    );
    expect((await mbpoll(...at, '-a', '5', '-t', '1', '-r', '0', '-c', '3', '127.0.0.1')).get(2)).toBe(1);
    await run('mbpoll', ['-0', '-q', ...at, '-a', '40', '-t', '0', '-r', '3', '127.0.0.1', '1']);
    await run('mbpoll', ['-0', '-q', ...at, '-a', '40', '-t', '4', '-r', '301', '127.0.0.1', '210']);
    expect(fleet.module('door-7').read('coil', 3)).toBe(1);
    expect(fleet.module('door-7').read('holding', 301)).toBe(210);
    await expect(mbpoll(...at, '-a', '40', '-t', '4', '-r', '9', '127.0.0.1')).rejects.toThrow(
      /[Ii]llegal data address/,
    );
  });

  test.skipIf(!hasPty())('P13 over RTU', { timeout: TIMEOUT_MS }, async () => {
    const { fleet, folder } = await fleetWith((at) => [
      { name: 'io', pty: { link: join(at, 'io.line') }, baud: 19_200, terminals: ['t1'], modules: MODULES },
    ]);
    const at = ['-m', 'rtu', '-b', '19200', '-P', 'none', join(folder, 'io.line')];
    fleet.terminal('t1').terminal.sensors.supplyMv = 11_800;
    expect((await mbpoll('-a', '5', '-t', '3', '-r', '0', '-c', '3', ...at)).get(0)).toBe(11_800);
    expect((await mbpoll('-a', '40', '-t', '1', '-r', '7', ...at)).get(7)).toBe(1);
    await run('mbpoll', ['-0', '-q', '-a', '40', '-t', '0', '-r', '3', ...at, '1']);
    expect(fleet.module('door-7').read('coil', 3)).toBe(1);
  });
});
