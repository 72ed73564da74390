import { basename, join } from 'node:path';
import process from 'node:process';
import { WhorlError } from '@whorl/protocol';
import { syncDirectory, writeDurably } from './durable.ts';
import { machine } from './ground.ts';
import type { Files } from './ground.ts';
import { KEY_BYTES } from './vault.ts';
import type { RandomBytes } from './vault.ts';

const FILE = 'master.key';
/** A first one, until the database knows of it. */
const FIRST = '.first';
/** How the place of the next master key differs in its name. */
const NEXT = { credential: '-next', variable: '_NEXT', file: '.next' } as const;

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a master key was found. */
export interface KeyPlace {
  readonly kind: 'credential' | 'variable' | 'file' | 'memory';
  /** Path, or name of the variable. */
  readonly name: string;
  /** A place for the next one. */
  readonly next: boolean;
}

export interface FoundKey {
  readonly key: Uint8Array;
  readonly place: KeyPlace;
}

/**
 * Where a machine has its master keys: a systemd credential `whorl-master-key`, the variable WHORL_MASTER_KEY, else the
 * file `master.key` in the data directory, 32 bytes in Base64, readable by its owner only. The next one stands beside it:
 * `whorl-master-key-next`, WHORL_MASTER_KEY_NEXT, `master.key.next`; former ones that something may still need are
 * `master.key.1` and so on.
 */
export class MasterPlaces {
  readonly #data: string;
  readonly #environment: Environment;
  readonly #files: Files;

  constructor(data: string, environment: Environment = process.env, files: Files = machine.files) {
    this.#data = data;
    this.#environment = environment;
    this.#files = files;
  }

  /** The file that the gateway writes by itself. */
  get file(): string {
    return join(this.#data, FILE);
  }

  /**
   * For a database that holds nothing yet. One that is made for it waits beside the place of a master key until the
   * database knows of it: a file in that place had a database at some time.
   * @throws WhorlError VAULT_KEY_OPEN, VAULT_KEY_WRONG
   */
  first(random: RandomBytes): FoundKey {
    const place = this.#given(false) ?? this.#filePlace(false);
    if (place.kind !== 'file' || this.#files.existsSync(place.name)) return this.#read(place);
    const { name } = this.#firstPlace;
    if (!this.#files.existsSync(name)) this.#write(name, random(KEY_BYTES));
    return this.#read(this.#firstPlace);
  }

  /** The database knows of a master key: a first one is put in its place. @returns where it is now */
  known(place: KeyPlace): KeyPlace {
    if (place.name !== this.#firstPlace.name) return place;
    this.#files.renameSync(place.name, this.file);
    syncDirectory(this.#files, this.#data);
    return this.#filePlace(false);
  }

  /**
   * The next one: the installer's own where the present one is theirs or one was given, else one of ours, durable before
   * anything is sealed with it.
   * @throws WhorlError VAULT_NEXT_KEY, VAULT_KEY_OPEN, VAULT_KEY_WRONG
   */
  next(present: KeyPlace, random: RandomBytes): FoundKey {
    const given = this.#given(true);
    if (given !== undefined) return this.#read(given);
    if (present.kind !== 'file')
      throw new WhorlError(
        'VAULT_NEXT_KEY',
        `the master key comes from ${present.name}, where the gateway cannot write; a new one is not given`,
      );
    const place = this.#filePlace(true);
    // One that was made before and never used is as good.
    if (!this.#files.existsSync(place.name)) this.#write(place.name, random(KEY_BYTES));
    return this.#read(place);
  }

  /** Everything that is there, and what is wrong with the rest. */
  all(): { readonly found: readonly FoundKey[]; readonly problems: readonly Error[] } {
    const places = [false, true].flatMap((next) => [this.#given(next) ?? [], this.#filePlace(next)].flat());
    places.push(this.#firstPlace);
    const former = this.former().map((name): KeyPlace => ({ kind: 'file', name, next: false }));
    const found: FoundKey[] = [];
    const problems: Error[] = [];
    for (const place of [...places, ...former].filter(
      ({ kind, name }) => kind !== 'file' || this.#files.existsSync(name),
    ))
      try {
        found.push(this.#read(place));
      } catch (error) {
        problems.push(error instanceof Error ? error : new Error(String(error)));
      }
    return { found, problems };
  }

  /** Files of former master keys that are still kept. */
  former(): string[] {
    return this.#files
      .readdirSync(this.#data)
      .filter((name) => /^master\.key\.\d+$/.test(name))
      .map((name) => join(this.#data, name));
  }

  /**
   * Puts the key that is used now into its place, and the one before it away.
   * @param formerly the number of a key that was used before; nothing else is removed
   * @param keep whether something may still need those
   * @returns where the key is now
   */
  settle(present: KeyPlace, formerly: (key: Uint8Array) => number | undefined, keep: boolean): KeyPlace {
    const { file } = this;
    const number = this.#numberOf(file, formerly);
    if (number !== undefined && keep) this.#files.renameSync(file, `${file}.${number}`);
    const ours = present.kind === 'file' && present.next;
    if (ours) this.#files.renameSync(present.name, file);
    else if (number !== undefined && !keep) this.#files.rmSync(file, { force: false });
    if (!keep) for (const name of this.former()) this.#files.rmSync(name, { force: false });
    syncDirectory(this.#files, this.#data);
    return ours ? this.#filePlace(false) : present;
  }

  /** Makes a key the machine's own, where it has none. */
  install(key: Uint8Array): FoundKey {
    this.#write(this.file, key);
    return { key, place: this.#filePlace(false) };
  }

  #numberOf(file: string, formerly: (key: Uint8Array) => number | undefined): number | undefined {
    try {
      return formerly(readKeyFile(file, this.#files));
    } catch {
      return undefined;
    }
  }

  /** Durable before the first data key is: what is sealed under a lost key is lost. */
  #write(path: string, key: Uint8Array): void {
    writeDurably(this.#files, path, `${Buffer.from(key).toString('base64')}\n`);
  }

  get #firstPlace(): KeyPlace {
    return { kind: 'file', name: `${this.file}${FIRST}`, next: false };
  }

  #filePlace(next: boolean): KeyPlace {
    return { kind: 'file', name: `${this.file}${next ? NEXT.file : ''}`, next };
  }

  /** Where the installer put one, outside of the data directory. */
  #given(next: boolean): KeyPlace | undefined {
    const { CREDENTIALS_DIRECTORY: credentials } = this.#environment;
    const file = `whorl-master-key${next ? NEXT.credential : ''}`;
    const credential = credentials === undefined ? undefined : join(credentials, file);
    if (credential !== undefined && this.#files.existsSync(credential))
      return { kind: 'credential', name: credential, next };
    const variable = `WHORL_MASTER_KEY${next ? NEXT.variable : ''}`;
    return this.#environment[variable] === undefined ? undefined : { kind: 'variable', name: variable, next };
  }

  #read(place: KeyPlace): FoundKey {
    const { kind, name } = place;
    if (kind === 'file') return { key: readKeyFile(name, this.#files), place };
    const written =
      kind === 'variable' ? (this.#environment[name] ?? '') : this.#files.readFileSync(name, 'utf8');
    return { key: keyOf(written, name), place };
  }
}

/** @throws WhorlError VAULT_KEY_MISSING, VAULT_KEY_OPEN, VAULT_KEY_WRONG */
export function readKeyFile(path: string, files: Files = machine.files): Uint8Array {
  if (!files.existsSync(path)) throw new WhorlError('VAULT_KEY_MISSING', `${path} is not there`);
  // Windows has no such bits; there the directory's access list protects the file.
  if (process.platform !== 'win32' && (files.statSync(path).mode & 0o077) !== 0)
    throw new WhorlError('VAULT_KEY_OPEN', path);
  return keyOf(files.readFileSync(path, 'utf8'), path);
}

/** @param place for the message */
function keyOf(written: string, place: string): Uint8Array {
  const text = written.trim();
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES || key.toString('base64') !== text)
    throw new WhorlError('VAULT_KEY_WRONG', `${place} does not hold ${KEY_BYTES} bytes in Base64`);
  return key;
}

/** In a few words, for people. */
export function inWords({ kind, name }: KeyPlace): string {
  switch (kind) {
    case 'credential':
      return `the systemd credential ${basename(name)}`;
    case 'variable':
      return `the variable ${name}`;
    case 'file':
      return `the file ${name}`;
    case 'memory':
      return 'memory';
  }
}
