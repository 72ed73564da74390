import type { Gateway, StoredEvent } from '@whorl/gateway';

/** What can be done to a terminal without a gateway, and by whom is the rig's business. */
export const ABILITIES = {
  people: 'a terminal at which somebody can enrol, delete and be let in',
  power: 'a terminal whose power can be cut and given again',
  reset: 'a terminal that may be reset to new',
  cable: 'a line whose cable can be pulled',
} as const;

export type Ability = keyof typeof ABILITIES;

/** What is done at one terminal: by the emulator, a person at the console, a relay. */
export interface Hands {
  /** Enrols a finger of a new or known user. @param finger slot, 0 to 9 */
  enrol(user: number, finger: number): Promise<void>;
  /** Begins an enrolment and gives it up. */
  giveUp(user: number): Promise<void>;
  remove(user: number): Promise<void>;
  powerOff(): Promise<void>;
  powerOn(): Promise<void>;
  /** Makes it as new, and starts it again; it is not paired any more. */
  factoryReset(): Promise<void>;
  /** Chooses "pair" in its menu. @returns the code that it shows */
  pairingCode(): Promise<string>;
}

/** What a behaviour can rely on wherever it runs, on hardware too. */
export interface Site {
  readonly kind: RigKind;
  /** The gateway of the moment; another one after a restart. */
  readonly gateway: Gateway;
  /** All terminals, in order. */
  readonly names: readonly string[];
  /** Terminals that can do this, in order; for `cable`, those on a line that can be pulled. */
  able(what: Ability): readonly string[];
  /** @throws Error when the rig has nobody who does it */
  hands(terminal: string): Hands;
  /** Name of the line that a terminal is on. */
  lineOf(terminal: string): string;
  /** An id that nobody has yet. */
  someone(): number;
  /**
   * Lets time pass until `condition` holds.
   * @param what is awaited, for the message when it does not come
   * @throws Error naming what was awaited
   */
  until(
    what: string,
    condition: () => boolean | Promise<boolean>,
    options?: { withinMs?: number },
  ): Promise<void>;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  plug(line: string): Promise<void>;
  unplug(line: string): Promise<void>;
  /** Ends the gateway and starts it again on the same store. */
  restartGateway(): Promise<void>;
  /** Events stored since the rig is there. */
  events(): Promise<readonly StoredEvent[]>;
  close(): Promise<void>;
}

/** Where terminals are: emulated in memory, on pseudo-terminals or on TCP; or behind ports that a rig file names. */
export type RigKind = 'memory' | 'pty' | 'tcp' | 'ports';

/** Rigs whose terminals all are in this process, to look inside. */
export type EmulatedKind = Exclude<RigKind, 'ports'>;
