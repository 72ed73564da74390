import { Bitmap, chunkAt, chunkCount, digestOf, membersOf, sleep, WhorlError } from '@whorl/protocol';
import type { Body, ObjectHead } from '@whorl/protocol';
import { RefusedError } from '../../lines/answer.ts';
import type { Line } from '../../lines/line.ts';
import { beginTransfer, commitTransfer, missingOf, MOST_ROUNDS } from './transfers.ts';
import type { Way } from './transfers.ts';

/** How long the first waits for others that need the same object; they mostly come in the same moment. */
const GATHER_MS = 20;

interface Rider {
  readonly way: Way;
  readonly after: number;
  readonly settle: (result: Promise<Body<'transfer.committed'>>) => void;
}

/**
 * One object for several terminals of a line: it crosses the line once, to all of them; then each is asked to commit, and
 * what some of them missed is sent once more, again to all. Only for what every terminal of the line may read: the
 * broadcasts are sealed under the key that all have.
 */
class Convoy {
  readonly #line: Line;
  readonly #object: Uint8Array;
  readonly #head: ObjectHead;
  readonly #transfer: number;
  #riders: Rider[] = [];
  #left = false;

  constructor(line: Line, object: Uint8Array, head: ObjectHead, transfer: number) {
    this.#line = line;
    this.#object = object;
    this.#head = head;
    this.#transfer = transfer;
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
    let wanted = new Bitmap(chunkCount(this.#head));
    try {
      await this.#announce();
      for (let round = 0; this.#riders.length > 0; round += 1) {
        if (round === MOST_ROUNDS) throw new WhorlError('TERMINAL_CHUNKS', `after ${MOST_ROUNDS} rounds`);
        await this.#sendMissing(wanted);
        wanted = await this.#askAll();
      }
    } catch (error) {
      for (const rider of this.#riders) rider.settle(Promise.reject(asError(error)));
      this.#riders = [];
    }
  }

  #announce(): Promise<void> {
    const addresses = this.#riders.map(({ way }) => way.peer.address);
    const body = { transfer: this.#transfer, kind: 'users' as const, ...this.#head, ...membersOf(addresses) };
    return this.#line.send(this.#line.group, { name: 'transfer.announce', body, priority: 'push' });
  }

  /** @param arrived what all of them have */
  async #sendMissing(arrived: Bitmap): Promise<void> {
    for (let index = 0; index < arrived.size; index += 1) {
      if (arrived.has(index)) continue;
      const data = chunkAt(this.#object, this.#head.chunk, index);
      const body = { transfer: this.#transfer, index, data };
      await this.#line.send(this.#line.group, { name: 'chunk', body, priority: 'push' });
    }
  }

  /** Has each commit; those who cannot yet stay. @returns the chunks that all of those have */
  async #askAll(): Promise<Bitmap> {
    const staying: Rider[] = [];
    const missing = new Set<number>();
    await Promise.all(
      this.#riders.map(async (rider) => {
        try {
          const lacks = await this.#finish(rider);
          if (lacks === undefined) return;
          staying.push(rider);
          for (const index of lacks) missing.add(index);
        } catch (error) {
          rider.settle(Promise.reject(asError(error)));
        }
      }),
    );
    this.#riders = staying;
    const arrived = new Bitmap(chunkCount(this.#head));
    for (let index = 0; index < arrived.size; index += 1) if (!missing.has(index)) arrived.add(index);
    return arrived;
  }

  /** @returns the chunks that it lacks; `undefined` when the object is in place there */
  async #finish({ way, after, settle }: Rider): Promise<readonly number[] | undefined> {
    const sending = { transfer: this.#transfer, chunk: this.#head.chunk, object: this.#object, after };
    try {
      const committed = await commitTransfer(way, { ...sending, digest: this.#head.digest });
      if (committed === undefined) return await missingOf(way, this.#transfer, chunkCount(this.#head));
      settle(Promise.resolve(committed));
      return undefined;
    } catch (error) {
      // It has not heard the announcement.
      if (!(error instanceof RefusedError && error.reason === 'no-such-transfer')) throw error;
      const arrived = await beginTransfer(way, this.#transfer, this.#head);
      return arrived.missingAll();
    }
  }
}

/** The convoys of one line. */
export class Convoys {
  readonly #line: Line;
  readonly #waiting = new Map<string, Convoy>();
  #transfer: number;

  /** @param first number of the first transfer */
  constructor(line: Line, first: number) {
    this.#line = line;
    this.#transfer = first;
  }

  /** A number that no transfer of this line has had lately. */
  nextTransfer(): number {
    this.#transfer = (this.#transfer + 1) & 0xffff;
    return this.#transfer;
  }

  /**
   * Sends an object to a terminal, together with whoever else needs the same at this moment.
   * @param alone does the same for this terminal only
   */
  send(
    way: Way,
    object: { readonly bytes: Uint8Array; readonly chunk: number; readonly after: number },
    alone: () => Promise<Body<'transfer.committed'>>,
  ): Promise<Body<'transfer.committed'>> {
    if (this.#line.online < 2 || this.#line.timing.baud === undefined) return alone();
    const head = { size: object.bytes.length, chunk: object.chunk, digest: digestOf(object.bytes) };
    const key = `${object.chunk} ${Buffer.from(head.digest).toString('hex')}`;
    const known = this.#waiting.get(key);
    const convoy =
      known?.boards === true ? known : new Convoy(this.#line, object.bytes, head, this.nextTransfer());
    const result = convoy.join(way, object.after);
    if (convoy === known) return result;
    this.#waiting.set(key, convoy);
    void convoy
      .run(() => alone())
      .finally(() => {
        if (this.#waiting.get(key) === convoy) this.#waiting.delete(key);
      });
    return result;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
