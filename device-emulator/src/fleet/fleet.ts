import { join } from 'node:path';
import { readRecord, seededRandom, encodeUser, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { Medium } from '../bus/medium.ts';
import { openPty } from '../bus/pty.ts';
import type { PtyPort } from '../bus/pty.ts';
import { diallingCable, listeningCable } from '../bus/tcp.ts';
import type { Cable } from '../bus/tcp.ts';
import { diskFlash } from '../firmware/disk.ts';
import { MemoryFlash } from '../firmware/flash.ts';
import { MODELS } from '../firmware/model.ts';
import type { Model } from '../firmware/model.ts';
import { Terminal } from '../firmware/terminal.ts';
import type { FleetConfig, FleetLine, FleetTerminal } from './config.ts';

/** A line with its terminals, as it runs. */
export interface RunningLine {
  readonly name: string;
  readonly medium: Medium;
  readonly cable: Cable;
  readonly terminals: ReadonlyMap<string, Terminal>;
}

/** Terminals on their lines, started from a file. */
export class Fleet {
  readonly lines: ReadonlyMap<string, RunningLine>;

  constructor(lines: readonly RunningLine[]) {
    this.lines = new Map(lines.map((line) => [line.name, line]));
  }

  /** @throws WhorlError FLEET_UNKNOWN */
  terminal(name: string): { terminal: Terminal; line: RunningLine } {
    for (const line of this.lines.values()) {
      const terminal = line.terminals.get(name);
      if (terminal !== undefined) return { terminal, line };
    }
    throw new WhorlError('FLEET_UNKNOWN', `no terminal is called ${name}`);
  }

  /** @throws WhorlError FLEET_UNKNOWN */
  line(name: string): RunningLine {
    const line = this.lines.get(name);
    if (line === undefined) throw new WhorlError('FLEET_UNKNOWN', `no line is called ${name}`);
    return line;
  }

  async stop(): Promise<void> {
    for (const { cable, terminals } of this.lines.values()) {
      await cable.unplug();
      for (const terminal of terminals.values()) terminal.powerOff();
    }
  }
}

/** Makes the terminals of a fleet and plugs their lines in. @throws WhorlError FLEET_FILE, FLASH_FAILED, PTY_NONE */
export async function startFleet(config: FleetConfig, clock: Clock): Promise<Fleet> {
  const lines = config.lines.map((line, index) => makeLine(config, line, index, clock));
  for (const { cable } of lines) await cable.plug();
  return new Fleet(lines);
}

function makeLine(config: FleetConfig, line: FleetLine, index: number, clock: Clock): RunningLine {
  const random = seededRandom(config.seed * 1000 + index);
  const medium = new Medium({ clock, random, baud: line.baud, turnaroundMs: line.turnaroundMs });
  const terminals = line.terminals.map(
    (terminal, at) =>
      [terminal.name, makeTerminal(config, terminal, config.seed * 1000 + 100 * index + at, clock)] as const,
  );
  for (const [, terminal] of terminals) medium.add(terminal);
  return { name: line.name, medium, cable: cableOf(line, medium, clock), terminals: new Map(terminals) };
}

function makeTerminal(config: FleetConfig, options: FleetTerminal, seed: number, clock: Clock): Terminal {
  const flash =
    config.data === undefined ? new MemoryFlash() : diskFlash(join(config.data, `${options.name}.flash`));
  const model: Model = MODELS[options.model];
  const capabilities = { ...model.capabilities, users: options.capacity ?? model.capabilities.users };
  const { address, serial } = options;
  const terminal = new Terminal({
    serial,
    address,
    model: { ...model, capabilities },
    clock,
    random: seededRandom(seed),
    flash,
  });
  if (options.users > 0 && terminal.users().size === 0) {
    terminal.load(
      Array.from({ length: options.users }, (_, i) =>
        readRecord(encodeUser({ id: i + 1, name: `User ${i + 1}` })),
      ),
    );
  }
  return terminal;
}

function cableOf(line: FleetLine, medium: Medium, clock: Clock): Cable {
  if (line.pty !== undefined) return ptyCable(medium, line.pty.link);
  if (line.listen !== undefined) return listeningCable(medium, line.listen);
  if (line.dial !== undefined) return diallingCable(medium, { ...line.dial, clock });
  throw new WhorlError('FLEET_FILE', `line ${line.name}: name one of pty, listen and dial`);
}

function ptyCable(medium: Medium, link: string): Cable {
  let port: PtyPort | undefined;
  return {
    place: link,
    async plug() {
      if (port !== undefined) return;
      port = await openPty({ link });
      medium.connect(port);
    },
    async unplug() {
      medium.disconnect();
      await port?.close();
      port = undefined;
    },
  };
}
