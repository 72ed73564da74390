import { randomBytes } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';
import type { KeyRow } from './keys.ts';
import type { FoundKey, MasterPlaces } from './master-key.ts';
import { fitOf } from './tables/masters.ts';
import type { MasterRow } from './tables/masters.ts';
import { Vault } from './vault.ts';

/** A master key with its number. */
export interface Home {
  readonly number: number;
  readonly vault: Vault;
}

interface Wanted {
  readonly keys: readonly KeyRow[];
  /** Of the backup, then of the database that is there, as far as it is of the same store. */
  readonly masters: readonly MasterRow[];
  readonly places: MasterPlaces;
  /** A master key that was handed in for this. */
  readonly given: Uint8Array | undefined;
}

/**
 * Brings the data keys of a backup under the master key of this machine, whichever of its keys, or the one given, they
 * are under. A machine that has none gets the one given.
 * @throws WhorlError VAULT_KEY_*, BACKUP_MASTER
 */
export function broughtHome({ keys, masters, places, given }: Wanted): {
  readonly home: Home;
  readonly rows: readonly KeyRow[];
} {
  const { found, problems } = places.all();
  const own = ownOf(found, masters) ?? (given === undefined ? undefined : { key: given });
  if (own === undefined)
    throw problems[0] ?? new WhorlError('VAULT_KEY_MISSING', `${places.file} is not there`);
  const known = [...found, ...(given === undefined ? [] : [{ key: given }])];
  const vaults = known.map(({ key }) => new Vault(key, randomBytes));
  const openers = new Map<number, Vault>();
  for (const number of new Set(keys.map(({ master }) => master))) {
    const sample = keys.find(({ master }) => master === number);
    const opener = vaults.find((vault) => sample !== undefined && opens(vault, sample));
    if (opener === undefined) throw wrong(number, given !== undefined, places);
    openers.set(number, opener);
  }
  const home = numbered(new Vault(own.key, randomBytes), masters, openers);
  const rows = keys.map((row) => {
    const opener = openers.get(row.master);
    if (opener === undefined) throw wrong(row.master, given !== undefined, places);
    const key = opener.unwrap(row.wrapped, row.user);
    return { ...row, master: home.number, wrapped: home.vault.wrap(key, row.user) };
  });
  if (found.length === 0) places.install(own.key);
  return { home, rows };
}

/** The newest that is known to be in use, else the first that is there. */
function ownOf(found: readonly FoundKey[], masters: readonly MasterRow[]): FoundKey | undefined {
  const live = masters.filter(({ until }) => until === undefined).sort((a, b) => b.number - a.number);
  for (const { fit } of live) {
    const fitting = found.find(({ key }) => fitOf(new Vault(key, randomBytes)) === fit);
    if (fitting !== undefined) return fitting;
  }
  return found[0];
}

function numbered(vault: Vault, masters: readonly MasterRow[], openers: ReadonlyMap<number, Vault>): Home {
  const fit = fitOf(vault);
  const same = masters.find((row) => row.fit === fit)?.number;
  const opening = [...openers].find(([, opener]) => fitOf(opener) === fit)?.[0];
  const highest = Math.max(0, ...openers.keys(), ...masters.map(({ number }) => number));
  return { number: same ?? opening ?? highest + 1, vault };
}

function opens(vault: Vault, { wrapped, user }: KeyRow): boolean {
  try {
    vault.unwrap(wrapped, user);
    return true;
  } catch {
    return false;
  }
}

function wrong(number: number, given: boolean, places: MasterPlaces): WhorlError {
  const tried = given
    ? 'neither the key that was given nor the one here opens them'
    : `not under ${places.file}`;
  return new WhorlError('BACKUP_MASTER', `they are under master key number ${number}; ${tried}`);
}
