import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { Store } from '@whorl/gateway';
import { seededRandom } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { planCall } from './calls.ts';
import type { Call } from './calls.ts';
import { contentsOf, faultsOf, firstDifference, withoutSequences } from './contents.ts';
import { SimulatedMachine } from './machine.ts';
import type { MachineOptions } from './machine.ts';
import { Source, Twin } from './twin.ts';
import type { Batch } from './twin.ts';

const DATA = '/site/data';
const BACKUPS = '/backups';
const STORE_ID = 'feed';
/** After how many operations on the disk the power goes, at most: amid a call, a few calls or many. */
const SPANS = [4, 12, 40, 120];
const SPAN_OF_FIRST_OPENING = 250;
const MOST_TOGETHER = 5;

export interface ChainOptions extends Pick<MachineOptions, 'told'> {
  readonly seed: number;
  /** Power losses, one after the other on the same disk. */
  readonly losses: number;
}

/**
 * One gateway's store through a chain of power losses. After each it must hold what its twin holds, to the byte: all that
 * was acknowledged, and what was under way as a whole or not at all.
 */
class Chain {
  readonly #random: Random;
  readonly #machine: SimulatedMachine;
  readonly #source = new Source();
  readonly #seed: number;
  #opened: Store | undefined;
  #twin: Twin | undefined;
  #now = 1_000;
  losses = 0;
  readonly trace: string[] = [];

  constructor({ seed, told }: ChainOptions) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#machine = new SimulatedMachine({ seed, told: often(this.#random, told) });
  }

  /** Opens the store for the first time; the power may go meanwhile. */
  async begin(): Promise<void> {
    const { files, disk } = this.#machine;
    files.mkdirSync(BACKUPS);
    disk.syncAll();
    if (this.#random.below(4) === 0) disk.losePowerAfter(1 + this.#random.below(SPAN_OF_FIRST_OPENING));
    this.#comeBack();
    const own = this.#machine.database.prepare('SELECT wrapped FROM keys').get()?.['wrapped'];
    if (!(own instanceof Uint8Array)) throw new Error('the gateway has no data key of its own');
    this.#twin = new Twin(files.readFileSync(join(DATA, 'master.key')), own, [BACKUPS]);
    await this.#ask({ calls: [BACKUPS_MADE], seed: this.#seed });
  }

  /** Asks until the power goes, and looks what is left. @throws Error naming what is not as it must be */
  async next(): Promise<void> {
    const { disk } = this.#machine;
    const batches = 1 + this.#random.below(6);
    disk.losePowerAfter(1 + this.#random.below(pick(this.#random, SPANS)));
    let underWay: Batch | undefined;
    for (let done = 0; done < batches && !disk.lost; done += 1)
      if (this.#random.below(20) === 0) this.#closeAndOpen();
      else underWay = await this.#ask(await this.#plan());
    if (!disk.lost) disk.cut();
    this.#comeBack();
    await this.#check(underWay);
  }

  /** Whatever is sealed can be opened. @returns the hash of the whole run */
  async end(): Promise<string> {
    const store = this.#store;
    for (const { id } of await store.users({ limit: 1000 })) await store.user(id);
    for (const { id } of await store.conflicts({ limit: 1000 })) await store.conflict(id);
    await store.pairings();
    const entries = await store.audit.rows(0, 1);
    if (entries.length > 0 && typeof (await store.audit.head()) === 'string')
      throw new Error('the audit trail lost its end');
    const all = [this.#machine.disk.operations, ...this.trace, this.#contents()].join('\n');
    await store.close();
    await this.twin.store.close();
    return hash('sha256', all);
  }

  get #store(): Store {
    if (this.#opened === undefined) throw new Error('the store is not open');
    return this.#opened;
  }

  get twin(): Twin {
    if (this.#twin === undefined) throw new Error('there is no twin yet');
    return this.#twin;
  }

  async #plan(): Promise<Batch> {
    const planning = { store: this.twin.store, random: this.#random };
    const calls = [await planCall({ ...planning, now: (this.#now += 1) })];
    while (calls[0]?.together === true && calls.length < MOST_TOGETHER && this.#random.below(3) === 0) {
      const more = await planCall({ ...planning, now: (this.#now += 1) });
      if (more.together) calls.push(more);
    }
    return { calls, seed: this.#seed * 1_000_003 + this.#now };
  }

  /** @returns what was not acknowledged before the power went */
  async #ask(batch: Batch): Promise<Batch | undefined> {
    this.trace.push(batch.calls.map(({ name }) => name).join(' + '));
    this.#source.restart(batch.seed);
    const results = await Promise.allSettled(batch.calls.map((one) => one.ask(this.#store)));
    const isAnswered = results.some(({ status }) => status === 'fulfilled');
    if (this.#machine.disk.lost && !isAnswered) return batch;
    await this.twin.ask(batch);
    return undefined;
  }

  #closeAndOpen(): void {
    this.trace.push('closed and opened');
    try {
      void this.#store.close();
      this.#open();
    } catch (error) {
      if (!this.#machine.disk.lost) throw error;
    }
  }

  #open(): void {
    this.#source.restart(this.#seed);
    this.#opened = this.#machine.open(DATA, this.#source.bytes);
  }

  /** Comes back, if need be in several tries because the power goes again meanwhile. */
  #comeBack(): void {
    const { disk } = this.#machine;
    for (let isOpen = false; !isOpen;) {
      if (disk.lost) this.#afterLoss();
      try {
        this.#open();
        isOpen = !disk.lost;
      } catch (error) {
        if (!disk.lost) throw error;
      }
    }
    disk.losePowerAfter(Number.POSITIVE_INFINITY);
  }

  #afterLoss(): void {
    this.losses += 1;
    this.trace.push('the power goes');
    this.#machine.comeBack();
    if (this.#random.below(4) === 0) this.#machine.disk.losePowerAfter(1 + this.#random.below(12));
  }

  async #check(underWay: Batch | undefined): Promise<void> {
    const faults = faultsOf(this.#machine.database);
    if (faults !== undefined) throw new Error(`the database is damaged: ${faults}`);
    const held = this.#contents();
    const acknowledged = this.twin.contents;
    if (held === acknowledged) {
      if (underWay !== undefined) await this.#ask(underWay);
    } else if (underWay === undefined) throw new Error(`lost: ${firstDifference(held, acknowledged)}`);
    else await this.#checkWhole(underWay, held, acknowledged);
    this.#checkKeys();
    await this.#checkMasters();
  }

  #contents(): string {
    return contentsOf(this.#machine.database.prepare(this.twin.reading));
  }

  /** What was under way is there as a whole; asked for again, it changes nothing more. */
  async #checkWhole(underWay: Batch, held: string, acknowledged: string): Promise<void> {
    await this.twin.ask(underWay);
    const whole = this.twin.contents;
    if (held !== whole)
      throw new Error(
        `lost: ${firstDifference(held, acknowledged)}\n  or half there: ${firstDifference(held, whole)}`,
      );
    if (!underWay.calls.every(({ again }) => again)) return;
    await this.#ask(underWay);
    const twice = this.#contents();
    if (withoutSequences(twice) !== withoutSequences(whole))
      throw new Error(`done twice: ${firstDifference(twice, whole)}`);
  }

  /** A master key that was changed lies nowhere any more. */
  async #checkMasters(): Promise<void> {
    if ((await this.twin.store.vault.status()).next !== undefined) return;
    const left = this.#machine.files
      .readdirSync(DATA)
      .filter((name) => /^master\.key\.(?:next|\d+)$/.test(name));
    if (left.length > 0) throw new Error(`${left.join(', ')} is still there`);
  }

  /** No data key of somebody who was erased stands beside the backups. */
  #checkKeys(): void {
    const path = join(BACKUPS, `whorl-${STORE_ID}.keys`);
    const { files, database } = this.#machine;
    if (!files.existsSync(path)) return;
    const kept = files.readFileSync(path);
    if (!kept.endsWith('}\n')) throw new Error('the keys beside the backups are torn');
    const erased = database.prepare("SELECT data FROM events WHERE type = 'user.erased'").all();
    for (const { data } of erased)
      for (const id of String(data).match(/[0-9a-f]{32}/g) ?? [])
        if (kept.includes(id)) throw new Error(`data key ${id} was destroyed, and is back`);
  }
}

/** A backup was made once: its directory is remembered, and gets the data keys as they are with each erasure. */
const BACKUPS_MADE: Call = {
  ...{ name: 'backups', again: true, together: false },
  ask: async (store) => {
    await store.saveNote('store.id', STORE_ID);
    await store.saveNote('backup.places', JSON.stringify([BACKUPS]));
  },
};

/** Checkpoints and full caches come by often on some machines, seldom on others. */
function often(random: Random, told: (sql: string) => string = (sql) => sql): (sql: string) => string {
  const checkpoint = pick(random, [8000, 1000, 30, 4]);
  const cache = pick(random, [-65_536, 10]);
  return (sql) =>
    told(sql)
      .replace(/wal_autocheckpoint = \d+/, `wal_autocheckpoint = ${checkpoint}`)
      .replace(/cache_size = -\d+/, `cache_size = ${cache}`);
}

function pick<T>(random: Random, some: readonly [T, ...T[]] | readonly T[]): T {
  const one = some[random.below(some.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}

export interface ChainResult {
  /** How often the power went. */
  readonly losses: number;
  /** Of all that was done, and of all that is held in the end: the same whenever a seed is run. */
  readonly hash: string;
}

/**
 * Lets a gateway's store work on a simulated disk that loses power again and again. Repeatable from its seed.
 * @throws Error naming what was lost, with seed and all that was done
 */
export async function losePowerOften(options: ChainOptions): Promise<ChainResult> {
  const chain = new Chain(options);
  try {
    await chain.begin();
    while (chain.losses < options.losses) await chain.next();
    return { losses: chain.losses, hash: await chain.end() };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${options.seed}: ${text}\n  ${chain.trace.join('\n  ')}`, { cause });
  }
}
