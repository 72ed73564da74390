import type { Clock, Random } from '@whorl/protocol';
import type { Desk } from './desk.ts';
import type { Flash } from './flash.ts';
import type { TellKeys } from './handshake.ts';
import type { Model } from './model.ts';

export interface TerminalOptions {
  /** Unique in the world, at most 32 bytes. */
  readonly serial: string;
  /** 1 to 247. */
  readonly address: number;
  readonly model: Model;
  readonly clock: Clock;
  readonly random: Random;
  readonly flash: Flash;
  /** Takes the keys of each session and broadcast key; not to be given but for a test rig. */
  readonly tellKeys?: TellKeys | undefined;
  /** Says why a request is refused that would be carried out: for what is played again. */
  readonly refuses?: Desk['refuses'];
}
