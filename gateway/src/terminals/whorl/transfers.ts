import {
  Assembly,
  Bitmap,
  BITMAP_BYTES,
  chunkAt,
  chunkCount,
  digestOf,
  MTU_MAX,
  sameObject,
  wireMs,
  WhorlError,
} from '@whorl/protocol';
import type { Body, ObjectHead, ObjectKind } from '@whorl/protocol';
import type { Line } from '../../lines/line.ts';
import { RefusedError } from '../../lines/answer.ts';
import type { Peer } from '../../lines/peer.ts';
import type { Keeping } from './keeping.ts';
import type { Priority } from '../../lines/priority.ts';

/** Where objects travel: one terminal of a line, at one priority. */
export interface Way {
  readonly line: Line;
  readonly peer: Peer;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

/** Rounds of sending what is missing before an object is given up; each halves what noise left. */
export const MOST_ROUNDS = 30;

/** Most chunks asked for in one turn. */
const CHUNKS_PER_FETCH = 32;

/** An object before its first chunk. */
export type SentHead = ObjectHead & { readonly kind: ObjectKind };

/** An object on its way to a terminal. */
export interface Sending {
  readonly transfer: number;
  readonly kind: ObjectKind;
  /** Bytes of each chunk but the last. */
  readonly chunk: number;
  readonly object: Uint8Array;
  /** Log position that the gateway has stored; see `transfer.commit`. */
  readonly after: number;
}

/**
 * Sends an object and has it put in place: announces it, sends what has not arrived, commits; when chunks were lost on
 * the way the terminal says so, is asked which, and so on until all are there. What arrived before an interruption is
 * not sent again.
 * @throws WhorlError TERMINAL_CHUNKS, EXCHANGE_*, LINE_CLOSED
 */
export async function sendObject(way: Way, sending: Sending): Promise<Body<'transfer.committed'>> {
  const { transfer, kind, chunk, object } = sending;
  const head: SentHead = { kind, size: object.length, chunk, digest: digestOf(object) };
  const arrived = await beginTransfer(way, transfer, head);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await sendMissing(way, sending, arrived);
    const committed = await commitTransfer(way, { ...sending, digest: head.digest });
    if (committed !== undefined) return committed;
    await askArrived(way, transfer, arrived);
  }
  throw new WhorlError(
    'TERMINAL_CHUNKS',
    `address ${way.peer.address}: ${arrived.size - arrived.count} of ${arrived.size} chunks still missing after ${MOST_ROUNDS} rounds`,
  );
}

/**
 * Announces an object to a terminal.
 * @param key of its chunks, when they are said to all and not all may read them
 * @returns what has arrived of it already
 */
export async function beginTransfer(
  way: Way,
  transfer: number,
  head: SentHead,
  key?: Uint8Array,
): Promise<Bitmap> {
  const body = { transfer, ...head };
  const begun = await (key === undefined
    ? way.line.ask(way.peer, { ...turn(way), name: 'transfer.begin', body })
    : way.line.ask(way.peer, { ...turn(way), name: 'transfer.share', body: { ...body, key } }));
  const arrived = new Bitmap(chunkCount(head));
  await readState(way, arrived, begun.body);
  return arrived;
}

async function askArrived(way: Way, transfer: number, arrived: Bitmap): Promise<void> {
  const body = { transfer, from: 0 };
  const asked = await way.line.ask(way.peer, { ...turn(way), name: 'transfer.ask', body });
  await readState(way, arrived, asked.body);
}

/** The chunks that a terminal lacks. */
export async function missingOf(way: Way, transfer: number, chunks: number): Promise<readonly number[]> {
  const arrived = new Bitmap(chunks);
  await askArrived(way, transfer, arrived);
  return arrived.missingAll();
}

async function sendMissing(way: Way, sending: Sending, arrived: Bitmap): Promise<void> {
  const { transfer, chunk, object } = sending;
  for (const index of arrived.missingAll()) {
    const body = { transfer, index, data: chunkAt(object, chunk, index) };
    await way.line.send(way.peer, { ...turn(way), name: 'chunk', body });
  }
}

/** @returns `undefined` when chunks are missing */
export async function commitTransfer(
  way: Way,
  { transfer, digest, after }: Body<'transfer.commit'>,
): Promise<Body<'transfer.committed'> | undefined> {
  try {
    const body = { transfer, digest, after };
    return (await way.line.ask(way.peer, { ...turn(way), name: 'transfer.commit', body })).body;
  } catch (error) {
    if (error instanceof RefusedError && error.reason === 'incomplete') return undefined;
    throw error;
  }
}

/** Adds what a state tells to the bitmap, and asks on when it did not fit one answer. */
async function readState(way: Way, arrived: Bitmap, first: Body<'transfer.state'>): Promise<void> {
  arrived.addPage(first.from, first.bitmap);
  for (
    let from = first.from + 8 * BITMAP_BYTES;
    from < arrived.size && arrived.count < first.received;
    from += 8 * BITMAP_BYTES
  ) {
    const asked = await way.line.ask(way.peer, {
      ...turn(way),
      name: 'transfer.ask',
      body: { transfer: first.transfer, from },
    });
    arrived.addPage(asked.body.from, asked.body.bitmap);
  }
}

/**
 * Fetches an object that the terminal offered, chunk by chunk, asking again for those that were lost.
 * @param assembly what had arrived of it before an interruption, when its digest is the same
 * @throws WhorlError TRANSFER_DIGEST, TERMINAL_CHUNKS, EXCHANGE_*, LINE_CLOSED
 */
export async function fetchObject(
  way: Way,
  offer: Body<'transfer.offered'>,
  assembly: Assembly,
  keeping: Keeping,
): Promise<Uint8Array> {
  const most = chunksATurn(way.line);
  let fruitless = 0;
  for (;;) {
    const run = assembly.arrived.missing(0, most);
    if (run === undefined) return assembly.finish();
    const body = { transfer: offer.transfer, first: run.first, count: run.count };
    const before = assembly.arrived.count;
    const chunks = await way.line.askMany(
      way.peer,
      { ...turn(way), name: 'transfer.fetch', body },
      run.count,
    );
    for (const { body: piece } of chunks)
      if (piece.transfer === offer.transfer) assembly.add(piece.index, piece.data);
    await keeping.grown(assembly);
    fruitless = assembly.arrived.count > before ? 0 : fruitless + 1;
    if (fruitless === MOST_ROUNDS)
      throw new WhorlError(
        'TERMINAL_CHUNKS',
        `address ${way.peer.address}: chunk ${run.first} does not arrive`,
      );
  }
}

function chunksATurn({ timing, turnMs }: Line): number {
  if (timing.baud === undefined) return CHUNKS_PER_FETCH;
  const chunks = Math.floor(turnMs / wireMs(MTU_MAX, timing.baud));
  return Math.max(1, Math.min(chunks, CHUNKS_PER_FETCH));
}

/** Goes on with an earlier assembly when it is of the same object. */
export function assemblyFor(offer: Body<'transfer.offered'>, earlier: Assembly | undefined): Assembly {
  const head = { size: offer.size, chunk: offer.chunk, digest: offer.digest };
  return earlier !== undefined && sameObject(earlier.head, head) ? earlier : new Assembly(head);
}

function turn(way: Way): { priority: Priority; signal: AbortSignal } {
  return { priority: way.priority, signal: way.signal };
}

/** Whether a terminal does not know a transfer (any more): it is begun anew. */
export function isTransferLost(error: unknown): boolean {
  return error instanceof RefusedError && (error.reason === 'no-such-transfer' || error.reason === 'corrupt');
}
