import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTROL_PORT, fleetSchema, hasPty, serveControl, startFleet } from '@whorl/device-emulator';
import type { Fleet, FleetConfig } from '@whorl/device-emulator';
import { makeLog, startService } from '@whorl/gateway';
import type { Config, LineConfig, Service } from '@whorl/gateway';
import { describe, sleep, systemClock, WhorlError } from '@whorl/protocol';

/** The port where the terminal that dials in finds the gateway. */
const DIAL_IN_PORT = 7400;
const LISTEN_PORT = 4370;
const API_PORT = 7410;
/** The line's, on a system without pseudo-terminals. */
const LINE_PORT = 4371;
const LOOK_MS = 10;

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    data: { type: 'string', default: 'data' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(
    'npm start [-- --once] [-- --data DIR]\n\nAn emulated site and its gateway: a finger is enrolled at terminal-3 and opens the other doors.\n--once ends after that; else it goes on until Ctrl-C.',
  );
  process.exit(0);
}
try {
  await demonstrate(resolve(values.data), values.once);
} catch (error) {
  const remedy = error instanceof WhorlError ? `\n  ${error.remedy}` : '';
  console.error(`${describe(error)}${remedy}`);
  process.exit(1);
}

/** Starts the site, enrols a finger at terminal-3 and says how it reaches the others. */
async function demonstrate(data: string, once: boolean): Promise<void> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  console.log(`An emulated site in ${data}: four terminals on an RS-485 line of 115,200 baud, two on TCP.\n`);
  const fleet = await startFleet(fleetOf(data), systemClock);
  const control = await serveControl(fleet, CONTROL_PORT).catch(() => undefined);
  const service = await startService(configOf(data), makeLog('info', false));
  await pairAll(fleet, service);
  await quiet(service);
  const took = await enrolOne(fleet, service);
  console.log(took);
  if (!once) {
    console.log(hints(control === undefined));
    await new Promise<void>((over) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => over());
    });
  }
  await service.stop();
  await control?.app.close();
  await fleet.stop();
}

/** Each terminal's code, as somebody would read it off the display and type it, until all are there. */
async function pairAll(fleet: Fleet, service: Service): Promise<void> {
  const { operations } = service.gateway;
  const paired = new Set<string>();
  await until(async () => {
    const { terminals } = await operations.status();
    const next = terminals.find(({ name, state }) => state === 'quarantined' && !paired.has(name));
    if (next !== undefined) {
      paired.add(next.name);
      const code = fleet.terminal(next.name).terminal.pair();
      console.log(`${next.name} shows ${code}; at the gateway: whorl pair ${next.name} --code ${code}`);
      await operations.pair(next.name, { code, replace: false });
    }
    return terminals.every(({ state }) => state === 'online');
  });
}

async function enrolOne(fleet: Fleet, service: Service): Promise<string> {
  const [newest] = (await service.gateway.store.users({ limit: 100_000 })).slice(-1);
  const user = Math.max(1041, newest?.id ?? 0) + 1;
  console.log(`\nterminal-3: somebody enrols a finger as user ${user}\n`);
  const began = systemClock.now();
  fleet.terminal('terminal-3').terminal.enrol({ user, name: 'Ada Lovelace', groups: [1], finger: 1 });
  await until(async () => {
    const rows = await service.gateway.store.ledger({ user, limit: 10 });
    return rows.length === 6 && rows.every((row) => row.state === 'verified');
  });
  const digests = new Set(
    [...fleet.lines.values()].flatMap((line) =>
      [...line.terminals.values()].map((terminal) => terminal.users().get(user)),
    ),
  );
  const same = digests.size === 1 && !digests.has(undefined);
  return `\nFrom the finger to verified on all six terminals: ${Math.round(systemClock.now() - began)} ms; digests ${same ? 'equal' : 'DIFFER'}.\n`;
}

/** Waits until nothing is on its way any more. */
async function quiet(service: Service): Promise<void> {
  await until(async () => {
    const status = await service.gateway.operations.status();
    return (
      status.openPulls === 0 && status.terminals.every(({ ledger }) => ledger.pending + ledger.sending === 0)
    );
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(systemClock, LOOK_MS);
}

function hints(withoutControl: boolean): string {
  const press = withoutControl
    ? `(port ${CONTROL_PORT} is taken, so nobody can press the terminals' buttons)`
    : '  npx whorl-emulator do terminal-1 enrol --user 7 --name Grace --fingers 2\n  npx whorl-emulator do terminal-2 unplug-line';
  const panel = withoutControl
    ? ''
    : `The terminals, to press and to break, in a browser: http://127.0.0.1:${CONTROL_PORT}/\n`;
  return `The site goes on until Ctrl-C. ${panel}In another window:\n  npx whorl status\n  npx whorl ledger --user 1042\n  npx whorl events --follow\n${press}\n`;
}

function fleetOf(data: string): FleetConfig {
  const numbers = [1, 2, 3, 4];
  const line = hasPty() ? { pty: { link: join(data, 'floor.line') } } : { listen: { port: LINE_PORT } };
  return fleetSchema.parse({
    data: join(data, 'terminals'),
    lines: [
      {
        name: 'floor',
        ...line,
        baud: 115_200,
        terminals: numbers.map((n) => ({ name: `terminal-${n}`, address: n, serial: `WX-00000${n}` })),
      },
      {
        name: 'lab',
        listen: { port: LISTEN_PORT },
        terminals: [{ name: 'terminal-5', serial: 'WX-000005' }],
      },
      {
        name: 'gate',
        dial: { port: DIAL_IN_PORT },
        terminals: [{ name: 'terminal-6', serial: 'WX-000006' }],
      },
    ],
  });
}

function configOf(data: string): Config {
  const baud = 115_200;
  const floor: LineConfig['over'] = hasPty()
    ? { kind: 'serial', path: join(data, 'floor.line'), baud, turnaroundMs: 2, latencyMs: 40 }
    : { kind: 'tcp', host: '127.0.0.1', port: LINE_PORT, baud, turnaroundMs: 2, latencyMs: 40 };
  return {
    data,
    logLevel: 'info',
    http: { enabled: true, host: '127.0.0.1', port: API_PORT, names: [] },
    mqtt: { enabled: true, host: '127.0.0.1', port: 1883 },
    site: {
      name: 'whorl',
      listen: { host: '127.0.0.1', port: DIAL_IN_PORT },
      lines: [
        {
          name: 'floor',
          over: floor,
          terminals: [1, 2, 3, 4].map((n) => ({ name: `terminal-${n}`, address: n, groups: [1] })),
        },
        {
          name: 'lab',
          over: { kind: 'tcp', host: '127.0.0.1', port: LISTEN_PORT, turnaroundMs: 2, latencyMs: 1000 },
          terminals: [{ name: 'terminal-5', address: 1, groups: [1] }],
        },
        {
          name: 'gate',
          over: { kind: 'dialIn', serial: 'WX-000006', latencyMs: 1000 },
          terminals: [{ name: 'terminal-6', address: 1, groups: [1] }],
        },
      ],
    },
  };
}
