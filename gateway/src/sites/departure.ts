import { createHmac } from 'node:crypto';
import { sameBytes } from '@whorl/protocol';
import type { SitesGround } from './ground.ts';

// Whoever the master has deleted or erased, it proves so to the satellites that drop them. A satellite reminds a master
// that was restored from a backup of these; without the proof one that lies could have anybody deleted, or erased.

const KEY = 'sites.departures';
const KEY_BYTES = 32;
const PROOF_CHARACTERS = 32;

/** What one who is gone was: which user, made by which change, and how. */
export interface Departure {
  readonly user: number;
  readonly born: string;
  readonly erased: boolean;
}

/** The master's own key for it, made once; it is in each backup from then on. @throws WhorlError STORE_*, VAULT_SEALED */
export async function departureKey({ site, random }: Pick<SitesGround, 'site' | 'random'>): Promise<string> {
  const known = await site.store.secretNote(KEY);
  if (known !== undefined) return known;
  const key = Buffer.from(random.bytes(KEY_BYTES)).toString('hex');
  await site.store.saveSecretNote(KEY, key);
  return key;
}

/** What a satellite keeps of it: where the user came from, and the proof. */
export function provenDeparture(key: string, { user, born, erased }: Departure): string {
  const said = `${user} ${born} ${erased ? 'erased' : 'deleted'}`;
  return `${born} ${createHmac('sha256', key).update(said).digest('hex').slice(0, PROOF_CHARACTERS)}`;
}

/** Whether the master itself has said so. @param proven as the satellite tells it */
export function isProven(key: string, departure: Departure, proven: string): boolean {
  return sameBytes(Buffer.from(provenDeparture(key, departure)), Buffer.from(proven));
}
