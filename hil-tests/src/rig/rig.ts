import type {
  Faults,
  IoModule,
  MemoryFlash,
  Medium,
  ModelName,
  QuirkName,
  Target,
  Terminal,
} from '@whorl/device-emulator';
import type { ModbusBusConfig } from '@whorl/gateway';
import type { EmulatedKind, Site } from './site.ts';

/** A site to test whose terminals are in this process: they can be looked into, and made sick. */
export interface Rig extends Site {
  readonly kind: EmulatedKind;
  readonly terminals: ReadonlyMap<string, Terminal>;
  /** The lines that the terminals hang on, by name. */
  readonly media: ReadonlyMap<string, Medium>;
  /** What the terminals keep over a power cut, by name. */
  readonly flashes: ReadonlyMap<string, MemoryFlash>;
  terminal(name: string): Terminal;
  /** What is made wrong. */
  readonly faults: Faults;
  /** A line or a terminal by its name, to make something wrong with. */
  target(on: string): Target;
  /**
   * Ends the gateway and starts it again on the same store.
   * @param changed groups of terminals, as if the configuration had been edited meanwhile; in memory only
   */
  restartGateway(changed?: { readonly groups: Readonly<Record<string, readonly number[]>> }): Promise<void>;
}

export interface RigTerminal {
  readonly name: string;
  readonly groups?: readonly number[];
  /** Most users. */
  readonly capacity?: number;
  /** Most log records. */
  readonly logs?: number;
  /** `finger-10k` unless it matters. */
  readonly model?: ModelName;
  /** The one that the model comes with unless it matters. */
  readonly firmware?: string;
  /** What else its firmware does otherwise than it should. */
  readonly quirks?: readonly QuirkName[];
  /** Storing and reckoning take it the time that its model says; none unless it matters, so that figures are the line’s. */
  readonly busy?: boolean;
}

/** Modbus on the wire of a line. */
export interface RigModbus {
  /** Terminals and modules as the gateway knows them; `line` names a line of the plan. */
  readonly buses: readonly ModbusBusConfig[];
  /** Modules on the wire of a line, by its name. */
  readonly modules: Readonly<Record<string, readonly IoModule[]>>;
}

/** What a behaviour needs of a site. */
export interface RigPlan {
  readonly lines: Readonly<Record<string, readonly RigTerminal[]>>;
  readonly baud?: number;
  /** Of every terminal on a serial line; 1 by default. */
  readonly turnaroundMs?: number;
  /** What the gateway reckons with for its machine, in memory; 2 by default. */
  readonly latencyMs?: number;
  readonly seed?: number;
  /** Lines with modules here are answered on by their terminals as well. */
  readonly modbus?: RigModbus;
  /** How old sessions become, in memory; a day by default. */
  readonly renewalMs?: number;
}

/** The site of most tests: four terminals on one line, two on lines of their own. */
export const SMALL_SITE: RigPlan = {
  lines: {
    floor: [
      { name: 'terminal-1', groups: [1] },
      { name: 'terminal-2', groups: [1, 2] },
      { name: 'terminal-3', groups: [2] },
      { name: 'terminal-4' },
    ],
    lab: [{ name: 'terminal-5', groups: [1] }],
    gate: [{ name: 'terminal-6', groups: [3] }],
  },
};
