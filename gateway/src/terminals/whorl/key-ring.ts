import type { Pairing } from '../../store/pairing.ts';

/** The pairings of terminals, by serial number. */
export interface KeyRing {
  /** `undefined` for a terminal that is not paired. */
  of(serial: string): Pairing | undefined;
}
