import type { Command } from 'commander';
import type { FleetConfig } from '../../fleet/schema.ts';
import type { StartOptions } from '../start.ts';
import { controlCommand, guarded, print } from './shell.ts';
import type { Shared, Shell } from './shell.ts';

interface FleetOptions {
  readonly lines: string;
  readonly terminals?: string;
  readonly users: string;
  readonly model?: string;
  readonly from?: string;
  readonly seed: string;
  readonly pty?: string | true;
  readonly tcp?: string | true;
  readonly dial?: string;
  readonly out?: string;
  readonly start: boolean;
}

const HOST = [
  '--control-host <address>',
  'address or name that the control listens on, when others shall reach it',
] as const;

/** Adds the commands that start terminals. */
export function addStarting(program: Command, shell: Shell): void {
  addStart(program, shell);
  addFleet(program, shell);
}

function addStart(program: Command, shell: Shell): void {
  controlCommand(program, 'start', 'start the terminals of a fleet file; ends with Ctrl-C')
    .requiredOption('--config <file>', 'fleet file; see fleet.example.yaml')
    .option('--capture <file>', 'record all that crosses the lines, as pcapng')
    .option('--key-log <file>', 'append the keys of all sessions: for test rigs, opens what was recorded')
    .option(...HOST)
    .addHelpText(
      'after',
      `
Examples:
  whorl-emulator start --config fleet.yaml
  whorl-emulator start --config fleet.yaml --capture a.pcapng --key-log a.keys
  whorl decode a.pcapng --keys a.keys`,
    )
    .action((options: Shared & StartOptions & { config: string }) =>
      guarded(shell, options, async () => {
        const { readFleet } = await import('../../fleet/config.ts');
        await start(shell, readFleet(options.config), options);
      }),
    );
}

function addFleet(program: Command, shell: Shell): void {
  controlCommand(program, 'fleet', 'make a fleet without a file, and start it; ends with Ctrl-C')
    .option('--lines <n>', 'so many lines', '1')
    .option('--terminals <n>', 'so many terminals on each; 1 when not given, or as many as there are dumps')
    .option('--users <n>', 'so many users at each, the same everywhere', '0')
    .option('--model <name,…>', 'model of the terminals, or several in turn; finger-10k when not given')
    .option(
      '--from <dump,…>',
      'terminals like one that was dumped, or several in turn, with their users and logs',
    )
    .option('--pty [folder]', 'lines are serial ports: line-1.line and so on in this folder')
    .option('--tcp [port]', 'lines are TCP ports from this one on; any free ones when not given')
    .option('--dial <host:port>', 'lines dial the gateway')
    .option('--seed <n>', 'equal seeds give equal templates', '1')
    .option('--out <file>', 'write the fleet file, too')
    .option('--no-start', 'only write it')
    .option(...HOST)
    .addHelpText(
      'after',
      `
Several terminals behind one TCP connection share a wire of 115,200 baud behind a serial device server; one alone has a
network plug of its own. Each user has a finger, or what the model takes. Unless one of --pty, --tcp and --dial is given,
lines are serial ports in the folder where you are, or TCP ports where there are none.

Examples:
  whorl-emulator fleet --lines 8 --terminals 32 --users 5000
  whorl-emulator fleet --lines 5000 --tcp --json
  whorl-emulator fleet --terminals 4 --model finger-10k,card-500 --pty lines
  whorl-emulator fleet --lines 40 --dial 192.0.2.7:7400 --users 200
  whorl-emulator fleet --from terminal-3.json --pty /tmp/lines
  whorl-emulator fleet --lines 8 --terminals 32 --out site.yaml --no-start`,
    )
    .action((options: Shared & StartOptions & FleetOptions) =>
      guarded(shell, options, () => runFleet(shell, options)),
    );
}

async function runFleet(shell: Shell, options: Shared & StartOptions & FleetOptions): Promise<void> {
  const { checkedFleet, makeFleet, writeFleet } = await import('../../fleet/make.ts');
  const { hasPty } = await import('../../bus/pty.ts');
  const { lines, users, seed, dial } = options;
  const wished = options.tcp !== undefined || options.pty !== undefined || dial !== undefined;
  const pty = options.pty ?? (wished || !hasPty() ? undefined : true);
  const tcp = options.tcp ?? (wished || hasPty() ? undefined : true);
  const wish = {
    ...{ lines, users, seed },
    ...given(options, ['terminals', 'model', 'from', 'dial']),
    ...(pty === undefined ? {} : { pty: pty === true ? '.' : pty }),
    ...(tcp === undefined ? {} : { tcp: tcp === true ? 0 : tcp }),
  };
  const fleet = makeFleet(wish);
  if (options.out !== undefined) writeFleet(options.out, fleet);
  if (options.start) await start(shell, checkedFleet(fleet), options);
  else print(shell, options, { out: options.out }, `written to ${options.out ?? 'nowhere: say --out'}`);
}

/** Of options those that were given. */
function given(options: FleetOptions, keys: readonly (keyof FleetOptions)[]): object {
  return Object.fromEntries(keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])));
}

async function start(shell: Shell, fleet: FleetConfig, options: Shared & StartOptions): Promise<void> {
  // Only these commands need a fleet and a server: the others answer sooner without.
  const { startEmulator } = await import('../start.ts');
  const { controlPort, lines } = await startEmulator(fleet, options);
  const told = lines.map(({ name, place, terminals }) => `${name}: ${terminals.join(', ')}; ${place}`);
  const more = [`whorl-emulator do … on port ${controlPort}`, `front panel http://127.0.0.1:${controlPort}/`];
  print(shell, options, { controlPort, lines }, [...told, ...more].join('\n'));
}
