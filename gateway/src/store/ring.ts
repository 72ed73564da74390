import { WhorlError } from '@whorl/protocol';
import { inWords } from './master-key.ts';
import type { FoundKey, KeyPlace, MasterPlaces } from './master-key.ts';
import type { Sqlite } from './sqlite.ts';
import { putMaster, countKeys, fitOf, liveMasters, masters } from './tables/masters.ts';
import type { MasterRow } from './tables/masters.ts';
import { Vault } from './vault.ts';
import type { RandomBytes } from './vault.ts';

/** A master key in use. */
export interface Master extends FoundKey {
  readonly number: number;
  readonly vault: Vault;
}

/** The master keys that a database is open with: one, or two while one is being changed for the other. */
export class Ring {
  readonly #masters = new Map<number, Master>();
  readonly #vaults = new Map<number, Vault>();

  /** By number, as they are at each moment. */
  get vaults(): ReadonlyMap<number, Vault> {
    return this.#vaults;
  }

  get keys(): ReadonlyMap<number, Uint8Array> {
    return new Map([...this.#masters].map(([number, { key }]) => [number, key]));
  }

  /** By which data keys are held: before a change and until it is over, the old one. */
  get oldest(): Master {
    return this.#at(Math.min(...this.#masters.keys()));
  }

  /** By which what is new is sealed. */
  get newest(): Master {
    return this.#at(Math.max(...this.#masters.keys()));
  }

  get changing(): boolean {
    return this.#masters.size > 1;
  }

  add(master: Master): void {
    this.#masters.set(master.number, master);
    this.#vaults.set(master.number, master.vault);
  }

  drop(number: number): void {
    this.#masters.delete(number);
    this.#vaults.delete(number);
  }

  moved(number: number, place: KeyPlace): void {
    this.add({ ...this.#at(number), place });
  }

  #at(number: number): Master {
    const master = this.#masters.get(number);
    if (master === undefined) throw new WhorlError('VAULT_KEY_MISSING', `master key number ${number}`);
    return master;
  }
}

/**
 * Finds the master keys that a database needs, by what it knows of them, wherever they lie. One that nothing is sealed
 * under, and that is not there, is given up.
 * @param begins called before a database that holds nothing is taken into use
 * @throws WhorlError VAULT_KEY_MISSING, VAULT_KEY_OPEN, VAULT_KEY_WRONG
 */
export function unlock(db: Sqlite, places: MasterPlaces, random: RandomBytes, begins: () => void): Ring {
  const ring = new Ring();
  const live = liveMasters(db);
  const holdsNothing = countKeys(db) === 0 && db.get('SELECT 1 FROM users LIMIT 1') === undefined;
  if (live.length === 0 && holdsNothing) {
    begins();
    const found = places.first(random);
    const vault = new Vault(found.key, random);
    putMaster(db, { number: 1, fit: fitOf(vault) });
    ring.add({ ...found, place: places.known(found.place), number: 1, vault });
    return ring;
  }
  const { found, problems } = places.all();
  const held = found.map((one) => ({ ...one, vault: new Vault(one.key, random) }));
  for (const row of live) {
    const fitting = held.find(({ vault }) => vault.fits(Buffer.from(row.fit, 'base64')));
    if (fitting !== undefined)
      ring.add({ ...fitting, place: places.known(fitting.place), number: row.number });
    else if (live.length > 1 && countKeys(db, 'of', row.number) === 0)
      db.run('DELETE FROM masters WHERE number = ?', row.number);
    else throw problems[0] ?? missing(db, row, held, places);
  }
  return ring;
}

function missing(
  db: Sqlite,
  wanted: MasterRow,
  held: readonly (FoundKey & { readonly vault: Vault })[],
  places: MasterPlaces,
): WhorlError {
  const [first] = held;
  if (first === undefined) return new WhorlError('VAULT_KEY_MISSING', `${places.file} is not there`);
  const where = held.map(({ place }) => inWords(place)).join(' or ');
  const other = masters(db).find(({ fit }) => fit === fitOf(first.vault));
  return new WhorlError(
    'VAULT_KEY_WRONG',
    other === undefined
      ? `the database was not sealed with the key in ${where}: put back the one that it was sealed with`
      : `the key in ${where} is master key number ${other.number}, which was changed for number ${wanted.number}: put that one there`,
  );
}
