import type { Random } from '@whorl/protocol';
import type { Rig } from '../rig/rig.ts';
import type { Belief } from './belief.ts';

/** One run: a site, what is believed of it, and where chance comes from. */
export interface Run {
  readonly rig: Rig;
  readonly random: Random;
  readonly belief: Belief;
  /** What was done, for whoever has to repeat it. */
  readonly trace: string[];
}
