import {
  CHUNK_SEAL_BYTES,
  chunkAt,
  chunkCount,
  digestOf,
  KEY_BYTES,
  membersOf,
  sealChunk,
  sleep,
  WhorlError,
} from '@whorl/protocol';
import type { Body, ObjectKind, Random } from '@whorl/protocol';
import { RefusedError } from '../../lines/answer.ts';
import type { Line } from '../../lines/line.ts';
import { beginTransfer, commitTransfer, missingOf, MOST_ROUNDS } from './transfers.ts';
import type { SentHead, Way } from './transfers.ts';

/** So long after the last that came, others that need the same object are waited for; they mostly come in the same moment. */
const GATHER_MS = 20;

/** Chunks of an object that are worth an exchange to learn whether they must be sent. */
const WORTH_ASKING = 8;

interface Rider {
  readonly way: Way;
  readonly after: number;
  readonly settle: (result: Promise<Body<'transfer.committed'>>) => void;
}

/** What crosses the line. */
interface Load {
  readonly object: Uint8Array;
  readonly head: SentHead;
  readonly transfer: number;
  /** Of the object alone, when not every terminal of the line may read it: those who may are handed it. */
  readonly key: Uint8Array | undefined;
}

/**
 * One object for several terminals of a line: it crosses the line once, to all of them; then each is asked to commit, and
 * what some of them missed is sent once more, again to all. Broadcasts are sealed under the key that all terminals of
 * the line have; what some of these must not read is sealed under a key of its own before.
 */
class Convoy {
  readonly #line: Line;
  readonly #load: Load;
  #riders: Rider[] = [];
  #left = false;
  /** Nobody rides it any more. */
  over: Promise<void> = Promise.resolve();

  constructor(line: Line, load: Load) {
    this.#line = line;
    this.#load = load;
  }

  /** Too late once it has left. */
  get boards(): boolean {
    return !this.#left;
  }

  join(way: Way, after: number): Promise<Body<'transfer.committed'>> {
    return new Promise((resolve) => {
      this.#riders.push({ way, after, settle: resolve });
    });
  }

  /**
   * @param alone does the same for a single terminal
   * @param before what its first rider got off: those who still ride it mostly need the same as next
   */
  run(alone: Alone, before: Convoy | undefined): Promise<void> {
    this.over = this.#run(alone, before);
    return this.over;
  }

  async #run(alone: Alone, before: Convoy | undefined): Promise<void> {
    await before?.over;
    await this.#gather();
    this.#left = true;
    const [only] = this.#riders;
    if (this.#riders.length === 1 && only !== undefined) only.settle(alone());
    else await this.#together();
  }

  async #gather(): Promise<void> {
    const line = this.#line;
    for (
      let waited = 0;
      waited < GATHER_MS && (line.isSettling || this.#riders.length < line.online);
      waited += 1
    ) {
      const { length } = this.#riders;
      await sleep(line.clock, 1);
      if (line.isSettling || this.#riders.length > length) waited = 0;
    }
  }

  async #together(): Promise<void> {
    try {
      await this.#sendMissing(await this.#announce());
      // One after the other: what noise took from one it mostly took from all, and is sent again before they are asked.
      for (let [rider] = this.#riders; rider !== undefined; [rider] = this.#riders) {
        await this.#bring(rider);
        this.#riders.shift();
      }
    } catch (error) {
      for (const rider of this.#riders) rider.settle(Promise.reject(asError(error)));
      this.#riders = [];
    }
  }

  /** Sends what one of them lacks, again to all, until it has the object in place. */
  async #bring(rider: Rider): Promise<void> {
    try {
      for (let round = 0; round < MOST_ROUNDS; round += 1) {
        const lacking = await this.#finish(rider);
        if (lacking === undefined) return;
        await this.#sendMissing(lacking);
      }
      throw new WhorlError('TERMINAL_CHUNKS', `after ${MOST_ROUNDS} rounds`);
    } catch (error) {
      rider.settle(Promise.reject(asError(error)));
    }
  }

  /** @returns the chunks that somebody lacks */
  async #announce(): Promise<Iterable<number>> {
    if (this.#load.key !== undefined) return this.#beginAll();
    await this.#announceAll();
    const count = chunkCount(this.#load.head);
    return count >= WORTH_ASKING && (await this.#isBegun(count)) ? this.#beginAll() : Array(count).keys();
  }

  /** Whether some of it is there from before an interruption, as the first one tells for all. */
  async #isBegun(count: number): Promise<boolean> {
    const [first] = this.#riders;
    if (first === undefined) return false;
    try {
      return (await this.#begin(first.way)).length < count;
    } catch {
      // Its own turn will tell why.
      return false;
    }
  }

  async #announceAll(): Promise<void> {
    const { head, transfer } = this.#load;
    const addresses = this.#riders.map(({ way }) => way.peer.address);
    const body = { transfer, ...head, ...membersOf(addresses) };
    await this.#line.send(this.#line.group, { name: 'transfer.announce', body, priority: 'push' });
  }

  async #sendMissing(missing: Iterable<number>): Promise<void> {
    const { object, head, transfer, key } = this.#load;
    for (const index of missing) {
      const clear = chunkAt(object, head.chunk, index);
      const data = key === undefined ? clear : sealChunk(key, index, clear);
      const body = { transfer, index, data };
      await this.#line.send(this.#line.group, { name: 'chunk', body, priority: 'push' });
    }
  }

  /** Announces the object to each; those that fail leave. @returns the chunks that somebody lacks */
  async #beginAll(): Promise<Iterable<number>> {
    const staying: Rider[] = [];
    const missing = new Set<number>();
    for (const rider of this.#riders) {
      try {
        for (const index of await this.#begin(rider.way)) missing.add(index);
        staying.push(rider);
      } catch (error) {
        rider.settle(Promise.reject(asError(error)));
      }
    }
    this.#riders = staying;
    return [...missing].sort((a, b) => a - b);
  }

  /** @returns the chunks that it lacks; `undefined` when the object is in place there */
  async #finish({ way, after, settle }: Rider): Promise<readonly number[] | undefined> {
    const { head, transfer, key } = this.#load;
    try {
      const committed = await commitTransfer(way, { transfer, digest: head.digest, after });
      if (committed === undefined) return await missingOf(way, transfer, chunkCount(head));
      settle(Promise.resolve(committed));
      return undefined;
    } catch (error) {
      // It has not heard the announcement, and so others mostly have not.
      if (!(error instanceof RefusedError && error.reason === 'no-such-transfer')) throw error;
      if (key === undefined) await this.#announceAll();
      return this.#begin(way);
    }
  }

  /** Announces the object to one. @returns the chunks that it lacks */
  async #begin(way: Way): Promise<readonly number[]> {
    const { head, transfer, key } = this.#load;
    return (await beginTransfer(way, transfer, head, key)).missingAll();
  }
}

type Alone = () => Promise<Body<'transfer.committed'>>;

/** An object that a terminal needs. */
interface Wanted {
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
  /** Bytes of its chunks where it is sent to one terminal. */
  readonly chunk: number;
  readonly after: number;
  /** Whether every terminal of the line may read it. */
  readonly open: boolean;
}

/** The convoys of one line. */
export class Convoys {
  readonly #line: Line;
  readonly #random: Random;
  readonly #waiting = new Map<string, Convoy>();
  /** The last that each terminal rode, by address. */
  readonly #ridden = new Map<number, Convoy>();
  #transfer: number;

  /** @param random makes keys: must not be guessed */
  constructor(line: Line, random: Random) {
    this.#line = line;
    this.#random = random;
    this.#transfer = random.below(0x1_0000);
  }

  /** A number that no transfer of this line has had lately. */
  nextTransfer(): number {
    this.#transfer = (this.#transfer + 1) & 0xffff;
    return this.#transfer;
  }

  /**
   * Sends an object to a terminal, together with whoever else needs the same at this moment.
   * @param alone does the same for this terminal only, with chunks of so many bytes
   */
  send(
    way: Way,
    wanted: Wanted,
    alone: (chunk: number) => Promise<Body<'transfer.committed'>>,
  ): Promise<Body<'transfer.committed'>> {
    const shared = this.#line.timing.baud !== undefined && (this.#line.isSettling || this.#line.online > 1);
    if (!shared) return alone(wanted.chunk);
    const { kind, bytes, after, open } = wanted;
    // The same for one as for several: what has arrived then counts whoever goes on with it.
    const chunk = open ? wanted.chunk : wanted.chunk - CHUNK_SEAL_BYTES;
    const head = { kind, size: bytes.length, chunk, digest: digestOf(bytes) };
    const name = `${kind} ${open} ${chunk} ${Buffer.from(head.digest).toString('hex')}`;
    const known = this.#waiting.get(name);
    const convoy = known?.boards === true ? known : this.#convoy(bytes, head, open);
    const before = this.#ridden.get(way.peer.address);
    this.#ridden.set(way.peer.address, convoy);
    const result = convoy.join(way, after);
    if (convoy === known) return result;
    this.#waiting.set(name, convoy);
    void convoy
      .run(() => alone(chunk), before)
      .finally(() => {
        if (this.#waiting.get(name) === convoy) this.#waiting.delete(name);
      });
    return result;
  }

  #convoy(object: Uint8Array, head: SentHead, open: boolean): Convoy {
    const key = open ? undefined : this.#random.bytes(KEY_BYTES);
    return new Convoy(this.#line, { object, head, transfer: this.nextTransfer(), key });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
