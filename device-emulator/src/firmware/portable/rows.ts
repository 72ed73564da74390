import {
  CHANGE_RESULTS,
  CHANGES,
  DIGEST_BYTES,
  FILE_KIND_CODES,
  fixed,
  flags,
  oneOf,
  SYNC_MODES,
  time,
  u16,
  u32,
  u8,
} from '@whorl/protocol';
import type { Fields } from '@whorl/protocol';

const digest = fixed('Digest.', DIGEST_BYTES);
const user = u32('User id.');
const operator = u16('Operator; 0 for nobody.');
const seq = u32('Number of the change.');

/** Where somebody stands who works with the terminal: see chart.ts. */
export const WHO = { rest: 1, in: 2, ready: 3 } as const;

/** Changes to what only a portable terminal keeps; as in ops.ts. */
export const PORTABLE_OPS = {
  who: { code: 20, size: 3, fields: { who: oneOf('Where they stand.', WHO), operator } },
  mode: { code: 21, size: 1, fields: { mode: oneOf('As chosen.', { online: 1, offline: 2 }) } },
  options: {
    code: 22,
    size: 1,
    fields: { options: flags('Of automatic sync.', { automatic: 1, data: 2, files: 4 }) },
  },
  wished: {
    code: 23,
    size: 12,
    fields: {
      number: u32('Counts up.'),
      mode: oneOf('What is wanted.', SYNC_MODES),
      task: u32('Task.'),
      operator,
      how: flags('Besides.', { forget: 1, files: 2, automatic: 4, unsent: 8 }),
    },
  },
  /** `ended`: the wish that the gateway ended last, so that it can say so again. */
  unwished: { code: 24, size: 4, fields: { ended: u32('Its number.') } },
  /** The tail is the text. */
  message: { code: 25, size: 1, tail: true, fields: { colour: oneOf('', { none: 0, green: 1, red: 2 }) } },
  synced: { code: 26, size: 4, fields: { task: u32('Task whose slice the live table is.') } },
  journaled: {
    code: 27,
    size: 17,
    fields: { seq, user, what: oneOf('', CHANGES), operator, at: time('By its clock.') },
  },
  /** The tail is the reason. */
  settled: { code: 28, size: 9, tail: true, fields: { seq, user, result: oneOf('', CHANGE_RESULTS) } },
  /** Only in a snapshot, where what counted them may be gone. */
  counters: { code: 29, size: 8, fields: { seq, wishes: u32('Wishes so far.') } },
  opened: { code: 30, size: 4, fields: { task: u32('Task whose slice it is.') } },
  nextPut: { code: 31, size: 4 + DIGEST_BYTES, tail: true, fields: { user, digest } },
  nextDropped: { code: 32, size: 4, fields: { user } },
  nextGone: { code: 33, size: 0, fields: {} },
  /** The next table is the live one, and the journal is empty: what was in it is sent, or may be forgotten. */
  swapped: { code: 34, size: 0, fields: {} },
  /** The tails are lists as in `tasks.set` and `operators.set`. */
  tasks: { code: 35, size: 0, tail: true, fields: {} },
  operators: { code: 36, size: 0, tail: true, fields: {} },
  /** The tail is the name. */
  fileOpened: {
    code: 37,
    size: 5 + DIGEST_BYTES,
    tail: true,
    fields: { digest, size: u32('Bytes.'), kind: oneOf('What for.', FILE_KIND_CODES) },
  },
  filePart: { code: 38, size: DIGEST_BYTES, tail: true, fields: { digest } },
  /** The user is not held any more, because somebody erased them. */
  unjournaled: { code: 40, size: 4, fields: { user } },
  pins: { code: 41, size: 1, fields: { wrong: u8('Wrong ones in a row.') } },
  fileGone: { code: 39, size: DIGEST_BYTES, fields: { digest } },
} as const satisfies Record<string, { code: number; size: number; tail?: true; fields: Fields }>;
