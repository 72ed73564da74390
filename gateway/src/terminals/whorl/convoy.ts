import {
  Bitmap,
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
import { beginTransfer, commitTransfer, missingOf, MOST_ROUNDS, shareTransfer } from './transfers.ts';
import type { SentHead, Way } from './transfers.ts';

/** How long the first waits for others that need the same object; they mostly come in the same moment. */
const GATHER_MS = 20;

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

  /** @param alone does the same for a single terminal */
  async run(alone: (rider: Rider) => Promise<Body<'transfer.committed'>>): Promise<void> {
    for (let waited = 0; waited < GATHER_MS && this.#riders.length < this.#line.online; waited += 1)
      await sleep(this.#line.clock, 1);
    this.#left = true;
    const [only] = this.#riders;
    if (this.#riders.length === 1 && only !== undefined) only.settle(alone(only));
    else await this.#together();
  }

  async #together(): Promise<void> {
    try {
      let wanted = await this.#announce();
      for (let round = 0; this.#riders.length > 0; round += 1) {
        if (round === MOST_ROUNDS) throw new WhorlError('TERMINAL_CHUNKS', `after ${MOST_ROUNDS} rounds`);
        await this.#sendMissing(wanted);
        wanted = await this.#askAll((rider) => this.#finish(rider));
      }
    } catch (error) {
      for (const rider of this.#riders) rider.settle(Promise.reject(asError(error)));
      this.#riders = [];
    }
  }

  /** @returns the chunks that all of them have */
  async #announce(): Promise<Bitmap> {
    const { head, transfer, key } = this.#load;
    if (key !== undefined) return this.#askAll(({ way }) => this.#begin(way));
    const addresses = this.#riders.map(({ way }) => way.peer.address);
    const body = { transfer, ...head, ...membersOf(addresses) };
    await this.#line.send(this.#line.group, { name: 'transfer.announce', body, priority: 'push' });
    return new Bitmap(chunkCount(head));
  }

  /** @param arrived what all of them have */
  async #sendMissing(arrived: Bitmap): Promise<void> {
    const { object, head, transfer, key } = this.#load;
    for (let index = 0; index < arrived.size; index += 1) {
      if (arrived.has(index)) continue;
      const clear = chunkAt(object, head.chunk, index);
      const data = key === undefined ? clear : sealChunk(key, index, clear);
      const body = { transfer, index, data };
      await this.#line.send(this.#line.group, { name: 'chunk', body, priority: 'push' });
    }
  }

  /**
   * Asks each which chunks it lacks; those that have the object in place leave, and those that fail.
   * @returns the chunks that all who stay have
   */
  async #askAll(lacks: (rider: Rider) => Promise<readonly number[] | undefined>): Promise<Bitmap> {
    const staying: Rider[] = [];
    const missing = new Set<number>();
    await Promise.all(
      this.#riders.map(async (rider) => {
        try {
          const lacking = await lacks(rider);
          if (lacking === undefined) return;
          staying.push(rider);
          for (const index of lacking) missing.add(index);
        } catch (error) {
          rider.settle(Promise.reject(asError(error)));
        }
      }),
    );
    this.#riders = staying;
    const arrived = new Bitmap(chunkCount(this.#load.head));
    for (let index = 0; index < arrived.size; index += 1) if (!missing.has(index)) arrived.add(index);
    return arrived;
  }

  /** @returns the chunks that it lacks; `undefined` when the object is in place there */
  async #finish({ way, after, settle }: Rider): Promise<readonly number[] | undefined> {
    const { object, head, transfer } = this.#load;
    try {
      const committed = await commitTransfer(way, { ...head, transfer, object, after });
      if (committed === undefined) return await missingOf(way, transfer, chunkCount(head));
      settle(Promise.resolve(committed));
      return undefined;
    } catch (error) {
      // It has not heard the announcement.
      if (!(error instanceof RefusedError && error.reason === 'no-such-transfer')) throw error;
      return this.#begin(way);
    }
  }

  /** Announces the object to one. @returns the chunks that it lacks */
  async #begin(way: Way): Promise<readonly number[]> {
    const { head, transfer, key } = this.#load;
    const arrived =
      key === undefined
        ? await beginTransfer(way, transfer, head)
        : await shareTransfer(way, transfer, head, key);
    return arrived.missingAll();
  }
}

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
    if (this.#line.online < 2 || this.#line.timing.baud === undefined) return alone(wanted.chunk);
    const { kind, bytes, after, open } = wanted;
    // The same for one as for several: what has arrived then counts whoever goes on with it.
    const chunk = open ? wanted.chunk : wanted.chunk - CHUNK_SEAL_BYTES;
    const head = { kind, size: bytes.length, chunk, digest: digestOf(bytes) };
    const name = `${kind} ${open} ${chunk} ${Buffer.from(head.digest).toString('hex')}`;
    const known = this.#waiting.get(name);
    const convoy = known?.boards === true ? known : this.#convoy(bytes, head, open);
    const result = convoy.join(way, after);
    if (convoy === known) return result;
    this.#waiting.set(name, convoy);
    void convoy
      .run(() => alone(chunk))
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
