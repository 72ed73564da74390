import {
  DIGEST_BYTES,
  fixed,
  KEY_BYTES,
  LOG_RECORD,
  OBJECT_KINDS,
  oneOf,
  time,
  u16,
  u32,
  u8,
  WhorlError,
} from '@whorl/protocol';
import type { Fields, Values } from '@whorl/protocol';
import { PORTABLE_OPS } from './portable/rows.ts';
import { compile } from '@whorl/protocol/codec/compile';
import type { Compiled } from '@whorl/protocol/codec/compile';

/** One kind of change to what a terminal keeps. */
interface OpRow {
  readonly code: number;
  /** Fields of a fixed size. */
  readonly fields: Fields;
  /** Bytes of `fields`. */
  readonly size: number;
  /** Bytes of any number follow: kept by reference and not copied, for users and chunks are most of what is written. */
  readonly tail?: true;
}

const transfer = u16('Number of the transfer.');
const digest = fixed('Digest.', DIGEST_BYTES);

/** Drift in ppm is stored with this added, for numbers in the journal have no sign. */
export const PPM_BIAS = 1_000_000;

export const OPS = {
  /** First start or factory reset: nothing is kept of what was. */
  made: { code: 1, size: 8, fields: { epoch: u32('Epoch of the log.'), boots: u32('Starts so far.') } },
  booted: { code: 2, size: 4, fields: { boots: u32('Starts so far.') } },
  put: { code: 3, size: 4 + DIGEST_BYTES, tail: true, fields: { user: u32('User id.'), digest } },
  dropped: { code: 4, size: 4, fields: { user: u32('User id.') } },
  logged: { code: 5, size: 19, fields: { record: LOG_RECORD } },
  cleared: { code: 6, size: 4, fields: { last: u32('Newest record at that time.') } },
  /** Only in a snapshot, where the log record that says so may be gone. */
  changed: { code: 7, size: 8, fields: { user: u32('User id.'), log: u32('Record of its change here.') } },
  clock: {
    code: 8,
    size: 16,
    fields: { shown: time('What the clock showed'), at: time('at this true time.'), ppm: u32('Drift.') },
  },
  staged: {
    code: 9,
    size: 9 + DIGEST_BYTES,
    fields: {
      transfer,
      kind: oneOf('What it is.', OBJECT_KINDS),
      size: u32('Bytes.'),
      chunk: u16('Bytes of a chunk.'),
      digest,
    },
  },
  arrived: { code: 10, size: 4, tail: true, fields: { transfer, index: u16('Chunk.') } },
  unstaged: { code: 11, size: 2, fields: { transfer } },
  /** The key that its gateway has, too; all zeros for none. */
  paired: { code: 13, size: KEY_BYTES, fields: { key: fixed('Pairing key.', KEY_BYTES) } },
  renumbered: { code: 12, size: 4, fields: { transfer, to: u16('New number.') } },
  ...PORTABLE_OPS,
} as const satisfies Record<string, OpRow>;

type OpName = keyof typeof OPS;
type TailOf<Name extends OpName> = (typeof OPS)[Name] extends { tail: true }
  ? { readonly bytes: Uint8Array }
  : unknown;

/** A change as data; `bytes` is the tail of those that have one. */
export type Op = {
  [Name in OpName]: { readonly name: Name } & Values<(typeof OPS)[Name]['fields']> & TailOf<Name>;
}[OpName];

interface Entry {
  readonly name: OpName;
  readonly row: OpRow;
  readonly codec: Compiled<unknown>;
}

const byCode: (Entry | undefined)[] = [];
const byName = new Map<OpName, Entry>();
for (const [key, row] of Object.entries(OPS)) {
  const name = key as OpName;
  const entry = { name, row, codec: compile<Fields>(name, row.fields) as Compiled<unknown> };
  byCode[row.code] = entry;
  byName.set(name, entry);
}

/** Code (1) and length of all that follows (4). */
const OP_HEAD = u8('').width + u32('').width;

/** A change as bytes, in one array or two: the second is the tail itself. */
export function writeOp(op: Op): Uint8Array[] {
  const entry = byName.get(op.name);
  if (entry === undefined) throw new WhorlError('FLASH_FAILED', `no way to store ${op.name}`);
  const tail = 'bytes' in op ? op.bytes : undefined;
  const head = new Uint8Array(OP_HEAD + entry.row.size);
  head[0] = entry.row.code;
  new DataView(head.buffer).setUint32(1, entry.row.size + (tail?.length ?? 0), true);
  entry.codec.encode(op, head, OP_HEAD);
  return tail === undefined ? [head] : [head, tail];
}

/**
 * Reads the changes that {@link writeOp} wrote one after the other; tails are views of `bytes`.
 * @throws WhorlError MESSAGE_* when they are not of this release
 */
export function* readOps(bytes: Uint8Array): Generator<Op> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const entry = byCode[view.getUint8(at)];
    if (entry === undefined) throw new WhorlError('MESSAGE_UNKNOWN', 'a change of a later release in flash');
    const from = at + OP_HEAD;
    const end = from + view.getUint32(at + 1, true);
    const body = entry.codec.decode(bytes, from, from + entry.row.size);
    const tail = entry.row.tail === true ? { bytes: bytes.subarray(from + entry.row.size, end) } : undefined;
    yield Object.assign({ name: entry.name }, body, tail) as Op;
    at = end;
  }
}
