import type { Clock, Random } from '@whorl/protocol';
import type { Site } from '../sync/site.ts';
import type { DeriveKey } from './secrets.ts';

/** What both ends of the exchange between gateways work with. */
export interface SitesGround {
  readonly site: Site;
  /** Name of this gateway. */
  readonly name: string;
  readonly version: string;
  /** Which exchange between gateways it speaks. */
  readonly protocol: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly derive: DeriveKey;
}
