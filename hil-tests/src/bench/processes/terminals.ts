import { fleetSchema, MemoryFlash, MODELS, startFleet, Terminal } from '@whorl/device-emulator';
import type { Fleet } from '@whorl/device-emulator';
import { encodeUser, readRecord, seededRandom, systemClock } from '@whorl/protocol';
import { keyFor } from '../../rig/wiring.ts';
import { serve } from './process.ts';

/** Terminals that dial the gateway, all in one process. */
export interface TerminalsApi {
  start(given: { count: number; port: number; logs: number }): Promise<void>;
  /** People edit users of their own at each terminal, one terminal after the other, as fast as this process can. */
  edit(given: { usersEach: number; editsEach: number }): Promise<void>;
  /** Log records that are the newest of each terminal, summed. */
  logged(given: null): number;
  /** Processor time of this process. */
  cpuMs(given: null): number;
}

const AT_ONCE = 16;

let fleet: Fleet | undefined;
let terminals: Terminal[] = [];

export const nameOf = (index: number): string => `t${index + 1}`;
export const serialOf = (index: number): string => `EM-${nameOf(index)}`;

async function start({ count, port, logs }: Parameters<TerminalsApi['start']>[0]): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  const lines = names.map((name) => ({
    name: `l-${name}`,
    dial: { port },
    turnaroundMs: 0,
    terminals: [{ name, model: 'finger-10k', capabilities: { users: 50_000, logs } }],
  }));
  const config = fleetSchema.parse({ lines });
  // They leave their maker paired.
  const plugged = config.lines.map(({ dial, ...line }) => ({ ...line, dial }));
  fleet = await startFleet({ ...config, lines: plugged }, systemClock, { flash: pairedFlash });
  terminals = [...fleet.lines.values()].flatMap((line) => [...line.terminals.values()]);
}

/** Of a terminal that was paired before it dials: one that is not yet is put into quarantine. */
function pairedFlash(name: string): MemoryFlash {
  const flash = new MemoryFlash();
  const serial = `EM-${name}`;
  const parts = { address: 1, model: MODELS['finger-10k'], clock: systemClock, random: seededRandom(1) };
  const terminal = new Terminal({ ...parts, serial, flash });
  terminal.setKey(keyFor(serial));
  terminal.powerOff();
  return flash;
}

async function edit({ usersEach, editsEach }: Parameters<TerminalsApi['edit']>[0]): Promise<void> {
  for (const [index, terminal] of terminals.entries())
    terminal.load(
      Array.from({ length: usersEach }, (_, i) =>
        readRecord(encodeUser({ id: index * usersEach + i + 1, name: 'before' })),
      ),
    );
  for (let from = 0; from < editsEach; from += AT_ONCE) {
    for (const [index, terminal] of terminals.entries()) {
      const to = Math.min(editsEach, from + AT_ONCE);
      for (let i = from; i < to; i += 1)
        terminal.edit({ user: index * usersEach + (i % usersEach) + 1, set: { name: `edit ${i}` } });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

serve<TerminalsApi>(
  {
    start,
    edit,
    logged: () => terminals.reduce((sum, terminal) => sum + (terminal.logs(1).at(-1)?.id ?? 0), 0),
    cpuMs: () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000,
  },
  async () => fleet?.stop(),
);
