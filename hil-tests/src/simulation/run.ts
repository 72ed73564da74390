import type { Random } from '@whorl/protocol';
import type { SimulatedMachine } from '../powerloss/machine.ts';
import type { MemoryRig } from '../rig/memory.ts';
import type { Archive } from './archive.ts';
import type { Belief, OlderState } from './belief.ts';
import type { Broadcasts } from './broadcasts.ts';
import type { Carried } from './carried.ts';
import type { Northbound } from './northbound.ts';

/** What a terminal held. */
export interface FlashCopy extends OlderState {
  readonly flash: Uint8Array;
}

/** A site that is played on, and what is believed of it. */
export interface Played {
  readonly rig: MemoryRig;
  readonly belief: Belief;
  /** What the gateway runs on, when it is simulated too. */
  readonly machine: SimulatedMachine | undefined;
  /** The broker and the programs at it, when there is one. */
  readonly north: Northbound | undefined;
  /** What the gateway says to all of a line. */
  readonly broadcasts: Broadcasts;
  /** Where the gateway's data and backups lie, when backups are made. */
  readonly archive: Archive | undefined;
  /** What people did with portable terminals, by name. */
  readonly carried: ReadonlyMap<string, Carried>;
  /** What terminals held once, by name, for whoever puts an older state back. */
  readonly copies: Map<string, FlashCopy>;
  /** Faults that wait for their moment: what lets go of each. */
  readonly strikes: Set<() => void>;
  /** What was done, for whoever has to repeat it. */
  readonly trace: string[];
}

/** The same, and where chance comes from. */
export interface Run extends Played {
  /** Of the step that is done. */
  readonly random: Random;
}
