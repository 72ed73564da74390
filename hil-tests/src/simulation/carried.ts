import type { Terminal } from '@whorl/device-emulator';
import type { Rig } from '../rig/rig.ts';

/** A sync by hand with nothing else going on. */
export interface Homecoming {
  readonly mode: 'synchronise' | 'send';
  /** How it ended at the display, when not well. */
  readonly trouble: string | undefined;
  /** Digest of the local database before and after, and of the slice as the gateway had it afterwards, in hex. */
  readonly before: string;
  readonly after: string;
  readonly slice: string;
  /** Users of the slice of whom the gateway does not know that it brought them. */
  readonly unnoted: readonly number[];
  /** Changes that are still not sent. */
  readonly unsent: number;
}

/** What people did with a portable terminal, for whoever asks at rest whether all is as it must be for that. */
export class Carried {
  /** Log-ins that a log-out followed: as often it may sync by itself, at most. */
  cycles = 0;
  /** Of each user, by people there: as often something of them may be sent, as what is changed between syncs is one change. */
  readonly changes = new Map<number, Set<number>>();
  /** Users whom people changed there since the terminal last got its slice with nothing else going on. */
  readonly touched = new Set<number>();
  home: Homecoming | undefined;
  /** What was seen and should not have been. */
  readonly wrong: string[] = [];

  /** Counts whatever a sync may begin with. */
  #moments = 0;

  changed(user: number): void {
    this.changes.set(user, (this.changes.get(user) ?? new Set()).add(this.#moments));
    this.touched.add(user);
  }

  maySync(): void {
    this.#moments += 1;
  }
}

/** The portable terminals of a rig, by name. */
export function carriedOn(rig: Pick<Rig, 'terminals'>): ReadonlyMap<string, Carried> {
  const portables = [...rig.terminals].filter(([, { isPortable }]) => isPortable);
  return new Map(portables.map(([name]) => [name, new Carried()]));
}

/** Somebody works with it offline: the gateway does not see it, and need not. */
export function isAway(terminal: Terminal): boolean {
  return terminal.isPortable && terminal.power === 'on' && !terminal.display.online;
}

/** Whether a sync is under way, or wanted. */
export function isSyncing(terminal: Terminal): boolean {
  return terminal.isPortable && terminal.power === 'on' && terminal.display.window?.kind === 'progress';
}

/** Of whom something waits there to be sent. */
export function unsentAt({ display }: Terminal): number[] {
  return display.unsent.map(({ user }) => user);
}
