import { IoModule } from '@whorl/device-emulator';
import type { ModbusBusConfig } from '@whorl/gateway';
import { expect } from 'vitest';
import { ALL, behaviour, verifiedOn } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';
import { SMALL_SITE } from '../rig/rig.ts';

const EVERY_MS = 100;
const FLOOR = ['terminal-1', 'terminal-2', 'terminal-3', 'terminal-4'];

const contact = { name: 'contact', kind: 'discrete', address: 7 } as const;
const relay = { name: 'relay', kind: 'coil', address: 3 } as const;
const warmth = { name: 'warmth', kind: 'input', address: 300 } as const;
const target = { name: 'target', kind: 'holding', address: 301 } as const;

/** A module as an installer buys it, and as they describe it. */
function doorModule(): { module: IoModule; config: ModbusBusConfig } {
  const registers = [contact, relay, { ...warmth, value: 215 }, target];
  const module = new IoModule({
    name: 'door-7',
    unit: 40,
    registers: registers.map((one) => ({ value: 0, ...one })),
  });
  const config: ModbusBusConfig = {
    name: 'contacts',
    line: 'floor',
    every: EVERY_MS,
    terminals: FLOOR,
    modules: [
      {
        name: 'door-7',
        unit: 40,
        registers: [
          { ...contact, scale: 1, write: false },
          { ...relay, scale: 1, write: true },
          { ...warmth, scale: 0.1, unit: '°C', write: false },
          { ...target, scale: 0.1, unit: '°C', write: true },
        ],
      },
    ],
  };
  return { module, config };
}

const door = doorModule();
const SITE = {
  plan: { ...SMALL_SITE, modbus: { buses: [door.config], modules: { floor: [door.module] } } },
  on: ['memory', 'pty'],
} as const;

function valueOf(rig: Rig, of: string, register: string): number | undefined {
  const unit = rig.gateway.operations.registers().find(({ name }) => name === of);
  return unit?.registers.find(({ name }) => name === register)?.value;
}

async function allRead(rig: Rig): Promise<void> {
  await rig.until('all registers read', () =>
    rig.gateway.operations
      .registers()
      .every(
        ({ state, registers }) =>
          state === 'answering' && registers.every(({ value }) => value !== undefined),
      ),
  );
}

behaviour(
  'P13 supply, battery, tamper, door and dock of terminals are read on their own line, and changes are told',
  async (rig) => {
    await allRead(rig);
    Object.assign(rig.terminal('terminal-2').sensors, {
      ...{ supplyMv: 0, batteryMv: 3712, batteryPercent: 64, tamper: true, door: true, docked: true },
    });
    await rig.until('the battery read', () => valueOf(rig, 'terminal-2', 'battery.voltage') === 3712);
    expect(valueOf(rig, 'terminal-2', 'supply.voltage')).toBe(0);
    expect(valueOf(rig, 'terminal-2', 'battery.charge')).toBe(64);
    expect(valueOf(rig, 'terminal-1', 'supply.voltage')).toBe(12_000);
    await rig.until('three changes told', async () => {
      const told = (await rig.events()).filter(({ type }) => type === 'register.changed');
      return ['tamper', 'door', 'dock'].every((register) =>
        told.some(
          ({ terminal, data }) =>
            terminal === 'terminal-2' && 'register' in data && data.register === register && data.value === 1,
        ),
      );
    });
  },
  SITE,
);

behaviour(
  'P13 both protocols share a wire without disturbing each other: an enrolment goes everywhere while registers are read ten times a second',
  async (rig) => {
    await allRead(rig);
    const before = (await rig.gateway.operations.status()).lines.find(({ name }) => name === 'floor');
    rig.terminal('terminal-1').enrol({ user: 9, name: 'Both', groups: [1], fingers: 10 });
    await verifiedOn(rig, 9, ALL);
    const after = (await rig.gateway.operations.status()).lines.find(({ name }) => name === 'floor');
    // In real time a busy machine can be late for either protocol; what it cannot do is mix them up for good.
    if (rig.kind === 'memory') {
      expect(after?.counters.timeouts).toBe(before?.counters.timeouts);
      expect(after?.counters.framesBad).toBe(before?.counters.framesBad);
      expect(after?.counters.retries).toBe(before?.counters.retries);
    }
    await allRead(rig);
  },
  SITE,
);

behaviour(
  'P13 registers of a module are named, scaled, polled and written; what may only be read is not written',
  async (rig) => {
    await allRead(rig);
    const { operations } = rig.gateway;
    expect(valueOf(rig, 'door-7', 'warmth')).toBe(21.5);
    const settle = async (work: Promise<unknown>): Promise<unknown> => {
      const told: { value?: unknown } = {};
      const over = work.then(
        (value) => (told.value = value),
        (error: unknown) => (told.value = error),
      );
      await rig.until('it settled', () => 'value' in told);
      await over;
      return told.value;
    };
    expect(await settle(operations.writeRegister('door-7', 'relay', 1))).toBe(1);
    expect(door.module.read('coil', 3)).toBe(1);
    expect(await settle(operations.writeRegister('door-7', 'target', 19.5))).toBe(19.5);
    expect(door.module.read('holding', 301)).toBe(195);
    expect(await settle(operations.writeRegister('door-7', 'relay', 0))).toBe(0);
    expect(await settle(operations.writeRegister('door-7', 'contact', 1))).toMatchObject({
      code: 'REGISTER_READONLY',
    });
    expect(await settle(operations.writeRegister('door-7', 'relay', 2))).toMatchObject({
      code: 'REQUEST_INVALID',
    });
    expect(await settle(operations.writeRegister('door-8', 'relay', 1))).toMatchObject({
      code: 'REGISTER_UNKNOWN',
    });
    expect(await settle(operations.writeRegister('terminal-1', 'dock', 1))).toMatchObject({
      code: 'REGISTER_READONLY',
    });
  },
  SITE,
);

behaviour(
  'P13 B15 a module without power is told of, costs its neighbours little, and is read again when it is back',
  async (rig) => {
    await allRead(rig);
    door.module.alive = false;
    await rig.until('door-7 silent', async () =>
      (await rig.events()).some(
        ({ type, data }) => type === 'modbus.silent' && 'of' in data && data.of === 'door-7',
      ),
    );
    const { timeouts = 0 } =
      (await rig.gateway.operations.status()).lines.find(({ name }) => name === 'floor')?.counters ?? {};
    rig.terminal('terminal-3').enrol({ user: 11, name: 'Meanwhile', groups: [1], fingers: 2 });
    await verifiedOn(rig, 11, ALL, 10_000);
    expect(
      (await rig.gateway.operations.status()).lines.find(({ name }) => name === 'floor')?.counters.timeouts,
    ).toBe(timeouts);
    door.module.alive = true;
    await rig.until(
      'door-7 answers again',
      () => rig.gateway.operations.registers().find(({ name }) => name === 'door-7')?.state === 'answering',
      { withinMs: 40_000 },
    );
  },
  { ...SITE, on: ['memory'] },
);
