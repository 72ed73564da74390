import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fleetSchema, hasPty, startFleet } from '@whorl/device-emulator';
import type { Fleet } from '@whorl/device-emulator';
import { openStore, silentLog, startGateway } from '@whorl/gateway';
import type { Gateway, ModbusBusConfig } from '@whorl/gateway';
import { seededRandom, systemClock } from '@whorl/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

const TIMEOUT_MS = 60_000;
const PATIENCE = { timeout: 20_000, interval: 20 };

/** Debian's pymodbus: somebody else's idea of a Modbus unit. */
const PYTHON = ['python3', '/usr/bin/python3'].find(
  (python) => spawnSync(python, ['-c', 'import pymodbus.server']).status === 0,
);

const UNIT = `
import sys
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartTcpServer
block = lambda values: ModbusSequentialDataBlock(0, values)
unit = ModbusSlaveContext(di=block([0, 1, 0]), co=block([0] * 8), hr=block([100, 195, 300]), ir=block([11, 22, 33]), zero_mode=True)
print('ready', flush=True)
StartTcpServer(context=ModbusServerContext(slaves={7: unit}, single=False), address=('127.0.0.1', int(sys.argv[1])))
`;

const OF_DOOR = {
  name: 'door-7',
  unit: 7,
  registers: [
    { name: 'contact', kind: 'discrete', address: 1, scale: 1, write: false },
    { name: 'relay', kind: 'coil', address: 3, scale: 1, write: true },
    { name: 'target', kind: 'holding', address: 1, scale: 0.1, unit: '°C', write: true },
    { name: 'warmth', kind: 'input', address: 2, scale: 0.1, unit: '°C', write: false },
  ],
} as const satisfies ModbusBusConfig['modules'][number];

const bus = (over: Partial<ModbusBusConfig>, terminals: string[] = []): ModbusBusConfig => ({
  name: 'io',
  every: 100,
  terminals,
  modules: [{ ...OF_DOOR, registers: [...OF_DOOR.registers] }],
  ...over,
});

async function gatewayWith(modbus: ModbusBusConfig, fleet?: Fleet): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-ports-'));
  const store = openStore({ data: folder });
  const port = Number(/port (\d+)/.exec(fleet?.lines.get('lab')?.cable.place ?? '')?.[1] ?? 1);
  const gateway = await startGateway({
    config: {
      name: 'ports',
      lines: [
        {
          name: 'lab',
          over: { kind: 'tcp', host: '127.0.0.1', port, turnaroundMs: 2, latencyMs: 1000 },
          terminals: [{ name: 't1', address: 5, groups: [] }],
        },
      ],
      modbus: [modbus],
    },
    version: '0.0.0',
    store,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  });
  onTestFinished(async () => {
    await gateway.stop();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return gateway;
}

function valueOf(gateway: Gateway, of: string, register: string): number | undefined {
  const unit = gateway.operations.registers().find(({ name }) => name === of);
  return unit?.registers.find(({ name }) => name === register)?.value;
}

describe('P13 registers over ports of their own', { timeout: TIMEOUT_MS }, () => {
  const start = async (place: (folder: string) => object): Promise<{ fleet: Fleet; folder: string }> => {
    const folder = mkdtempSync(join(tmpdir(), 'whorl-ports-'));
    const modules = [
      {
        name: 'door-7',
        unit: 7,
        registers: [
          { name: 'contact', kind: 'discrete', address: 1, value: 1 },
          { name: 'relay', kind: 'coil', address: 3 },
          { name: 'target', kind: 'holding', address: 1, value: 195 },
          { name: 'warmth', kind: 'input', address: 2, value: 33 },
        ],
      },
    ];
    const config = fleetSchema.parse({
      lines: [{ name: 'lab', listen: { port: 0 }, terminals: [{ name: 't1', address: 5 }] }],
      modbus: [{ name: 'io', terminals: ['t1'], modules, ...place(folder) }],
    });
    const fleet = await startFleet(config, systemClock);
    onTestFinished(async () => {
      await fleet.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    return { fleet, folder };
  };

  const works = async (gateway: Gateway, fleet: Fleet): Promise<void> => {
    await vi.waitFor(() => expect(valueOf(gateway, 'door-7', 'warmth')).toBe(3.3), PATIENCE);
    fleet.terminal('t1').terminal.sensors.batteryMv = 3712;
    await vi.waitFor(() => expect(valueOf(gateway, 't1', 'battery.voltage')).toBe(3712), PATIENCE);
    expect(await gateway.operations.writeRegister('door-7', 'relay', 1)).toBe(1);
    expect(fleet.module('door-7').read('coil', 3)).toBe(1);
    // The port goes away and comes back.
    await fleet.buses[0]?.cable.unplug();
    await vi.waitFor(async () => {
      const { lines } = await gateway.operations.status();
      expect(lines.find(({ name }) => name === 'io')?.state).not.toBe('open');
    }, PATIENCE);
    await fleet.buses[0]?.cable.plug();
    fleet.terminal('t1').terminal.sensors.batteryMv = 3600;
    await vi.waitFor(() => expect(valueOf(gateway, 't1', 'battery.voltage')).toBe(3600), PATIENCE);
  };

  test.skipIf(!hasPty())('P13 RTU on a line of its own', async () => {
    const { fleet, folder } = await start((at) => ({ pty: { link: join(at, 'io.line') }, baud: 19_200 }));
    const serial = { path: join(folder, 'io.line'), baud: 19_200, turnaroundMs: 50, latencyMs: 500 };
    await works(await gatewayWith(bus({ serial }, ['t1']), fleet), fleet);
  });

  test('P13 Modbus TCP', async () => {
    const { fleet } = await start(() => ({ listen: { port: 0 } }));
    const port = Number(/port (\d+)/.exec(fleet.buses[0]?.cable.place ?? '')?.[1]);
    const tcp = { host: '127.0.0.1', port, turnaroundMs: 50, latencyMs: 1000 };
    const gateway = await gatewayWith(bus({ tcp }, ['t1']), fleet);
    await vi.waitFor(() => expect(valueOf(gateway, 'door-7', 'target')).toBe(19.5), PATIENCE);
    expect(await gateway.operations.writeRegister('door-7', 'target', 21)).toBe(21);
    expect(fleet.module('door-7').read('holding', 1)).toBe(210);
  });

  test.skipIf(PYTHON === undefined)(
    'P13 an independent Modbus unit is read and written (needs pymodbus)',
    async () => {
      const port = await freePort();
      const child = spawn(PYTHON ?? '', ['-c', UNIT, String(port)], { stdio: ['ignore', 'pipe', 'ignore'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const gateway = await gatewayWith(
        bus({ tcp: { host: '127.0.0.1', port, turnaroundMs: 50, latencyMs: 1000 } }),
      );
      await vi.waitFor(() => expect(valueOf(gateway, 'door-7', 'warmth')).toBe(3.3), PATIENCE);
      expect(valueOf(gateway, 'door-7', 'contact')).toBe(1);
      expect(await gateway.operations.writeRegister('door-7', 'relay', 1)).toBe(1);
      expect(await gateway.operations.writeRegister('door-7', 'target', 21.4)).toBe(21.4);
    },
  );
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
