import { blob, fixed, flags, group, list, oneOf, text, time, u16, u32 } from '../codec/codec.ts';
import { DIGEST_BYTES } from '../user/digest.ts';
import type { MessageRow } from './row.ts';

/** What a portable terminal wants. */
export const SYNC_MODES = { none: 0, synchronise: 1, send: 2 } as const;

/** How a sync session stands; the last three end it. */
export const SYNC_STAGE_CODES = {
  preparing: 1,
  sending: 2,
  downloading: 3,
  storing: 4,
  files: 5,
  done: 6,
  failed: 7,
  refused: 8,
} as const;

/** What became of a change that was made at a portable terminal. */
export const CHANGE_RESULTS = { merged: 1, conflict: 2, refused: 3 } as const;

/** What was done to a user at a portable terminal. */
export const CHANGES = { enrolled: 1, edited: 2, deleted: 3 } as const;

/** What a file is for. */
export const FILE_KIND_CODES = { wallpaper: 1, 'floor-plan': 2, photo: 3, firmware: 4 } as const;

/** The longest reason that a terminal is told, bytes of UTF-8. */
export const REASON_BYTES = 120;
/** The longest name of a task or operator. */
export const LISTED_NAME_BYTES = 32;
export const FILE_NAME_BYTES = 64;
export const CHANGES_PER_PAGE = 50;
export const ANSWERS_PER_SETTLE = 8;
export const TASKS_PER_PAGE = 24;
export const OPERATORS_PER_PAGE = 8;
export const FILES_PER_PAGE = 8;
/** The longest verifier of a PIN. */
export const VERIFIER_BYTES = 64;

const operator = u16('Who was logged in; 0 for nobody.');
const FILE = {
  name: text('Name, unique at the terminal.', FILE_NAME_BYTES),
  kind: oneOf('What it is for.', FILE_KIND_CODES),
  size: u32('Bytes of the file.', { unit: 'bytes', min: 1 }),
  digest: fixed('Digest of the file.', DIGEST_BYTES),
} as const;
const PAGE = {
  from: u16('Place of the first in the whole list.'),
  total: u16('Length of the whole list.'),
} as const;

/** What is said to portable terminals only; section 12. */
export const PORTABLE_ROWS = {
  'slice.open': {
    type: 0x40,
    direction: 'to-terminal',
    answer: 'slice.state',
    work: 'flash',
    fields: { task: u32('Task whose slice it is.') },
    doc: 'Opens the next table, or goes on with it when it was opened for the same task. Until the next `hello`, `slice.swap`, `slice.drop` or the end of the sync, what is asked and sent about users is about it.',
  },
  'slice.state': {
    type: 0xc0,
    direction: 'to-gateway',
    fields: {
      users: u32('Users in the next table.'),
      table: fixed('Its digest.', DIGEST_BYTES),
      how: flags('Besides.', { live: 1 }),
    },
    doc: 'The next table is open. live: the live one has the same digest.',
  },
  'slice.swap': {
    type: 0x41,
    direction: 'to-terminal',
    answer: 'slice.swapped',
    work: 'flash',
    fields: { table: fixed('Digest that the next table must have.', DIGEST_BYTES) },
    doc: 'The next table becomes the live one, in one step. Refused while there are unsent changes, unless the wish says that they may be forgotten.',
  },
  'slice.swapped': {
    type: 0xc1,
    direction: 'to-gateway',
    fields: {},
    doc: 'The slice is the live table.',
  },
  'slice.drop': {
    type: 0x42,
    direction: 'to-terminal',
    answer: 'slice.dropped',
    work: 'flash',
    fields: {},
    doc: 'Forgets the next table; none is as good.',
  },
  'slice.dropped': { type: 0xc2, direction: 'to-gateway', fields: {}, doc: 'There is no next table.' },
  'journal.read': {
    type: 0x43,
    direction: 'to-terminal',
    answer: 'journal.page',
    work: 'memory',
    fields: { after: u32('Changes with higher numbers; 0 to begin.') },
    doc: 'Asks for the unsent changes.',
  },
  'journal.page': {
    type: 0xc3,
    direction: 'to-gateway',
    fields: {
      epoch: u32('Numbers begin again when it changes: that of the log.'),
      changes: list(
        'Changes, by ascending number.',
        group('A change; a user has one at most.', {
          seq: u32('Its number, higher than that of every change before.'),
          user: u32('User id.'),
          what: oneOf('What was done.', CHANGES),
          operator,
          at: time('When, by the terminal’s clock.'),
        }),
        CHANGES_PER_PAGE,
      ),
    },
    doc: 'The next unsent changes; none when there are no more.',
  },
  'journal.settle': {
    type: 0x44,
    direction: 'to-terminal',
    answer: 'journal.settled',
    work: 'flash',
    fields: {
      answers: list(
        'What became of changes.',
        group('An answer.', {
          seq: u32('Number of the change; one that is not there any more is passed over.'),
          result: oneOf('What became of it.', CHANGE_RESULTS),
          reason: text('Why, for people; may be empty.', REASON_BYTES),
        }),
        ANSWERS_PER_SETTLE,
      ),
    },
    doc: 'The gateway has stored these changes, or will never take them: they are unsent no more. The display shows what became of them.',
  },
  'journal.settled': {
    type: 0xc4,
    direction: 'to-gateway',
    fields: { left: u32('Unsent changes that are left.') },
    doc: 'They are out of the journal.',
  },
  'sync.ask': {
    type: 0x45,
    direction: 'to-terminal',
    answer: 'sync.wish',
    work: 'memory',
    fields: {},
    doc: 'Asks what the terminal wants.',
  },
  'sync.wish': {
    type: 0xc5,
    direction: 'to-gateway',
    fields: {
      number: u32('Counts the wishes of the terminal; 0 with mode none.'),
      mode: oneOf('What it wants.', SYNC_MODES),
      task: u32('Task; 0 for none.'),
      operator: u16('Who is logged in, or was last; 0 for nobody.'),
      how: flags('Besides.', { forget: 1, files: 2, automatic: 4, unsent: 8 }),
    },
    doc: 'What the terminal wants until it is told how that ended. forget: unsent changes may be lost, the operator confirmed it. files: the task’s files, too. automatic: nobody asked for it. unsent: there are changes in the journal.',
  },
  'sync.tell': {
    type: 0x46,
    direction: 'to-terminal',
    answer: 'sync.heard',
    work: 'flash',
    fields: {
      number: u32('Of the wish.'),
      stage: oneOf('How it stands.', SYNC_STAGE_CODES),
      done: u32('Users or files so far,'),
      total: u32('of so many.'),
      bytes: u32('Moved in this stage.', { unit: 'bytes' }),
      rate: u32('Bytes a second.', { unit: 'bytes/s' }),
      left: u32('As far as can be told.', { unit: 's' }),
      reason: text('Why it failed or was refused, for people.', REASON_BYTES),
    },
    doc: 'What the display shows of the sync; done, failed and refused end it.',
  },
  'sync.heard': {
    type: 0xc6,
    direction: 'to-gateway',
    fields: { how: flags('Besides.', { cancelled: 1 }) },
    doc: 'cancelled: the terminal does not want this wish any more.',
  },
  'supply.tell': {
    type: 0x4c,
    direction: 'to-terminal',
    answer: 'sync.wish',
    work: 'flash',
    fields: { supply: flags('Supply voltage.', { present: 1 }) },
    doc: 'Tells a terminal that cannot measure it whether there is supply voltage; it answers what it wants now.',
  },
  'file.open': {
    type: 0x47,
    direction: 'to-terminal',
    answer: 'file.state',
    work: 'flash',
    fields: FILE,
    doc: 'Makes room for a file, or goes on with it. One with the same name and another digest gives way once this one is complete.',
  },
  'file.state': {
    type: 0xc7,
    direction: 'to-gateway',
    fields: {
      stored: u32('Bytes from its beginning that are stored; complete when all are.', { unit: 'bytes' }),
    },
    doc: 'How much of the file is there.',
  },
  'files.read': {
    type: 0x48,
    direction: 'to-terminal',
    answer: 'files.page',
    work: 'memory',
    fields: { after: text('Files with names behind this one; empty to begin.', FILE_NAME_BYTES) },
    doc: 'Asks which files are there.',
  },
  'files.page': {
    type: 0xc8,
    direction: 'to-gateway',
    fields: { files: list('Files, by the bytes of their names.', group('A file.', FILE), FILES_PER_PAGE) },
    doc: 'The next files, complete or not; none when there are no more.',
  },
  'files.remove': {
    type: 0x49,
    direction: 'to-terminal',
    answer: 'files.removed',
    work: 'flash',
    fields: { name: FILE.name },
    doc: 'Removes a file; one that is not there counts as removed.',
  },
  'files.removed': { type: 0xc9, direction: 'to-gateway', fields: {}, doc: 'It is not there.' },
  'tasks.set': {
    type: 0x4a,
    direction: 'to-terminal',
    answer: 'list.taken',
    work: 'flash',
    fields: {
      ...PAGE,
      tasks: list(
        'Tasks in the order in which they are shown.',
        group('A task.', { id: u32('Its number.'), name: text('Its name.', LISTED_NAME_BYTES) }),
        TASKS_PER_PAGE,
      ),
    },
    doc: 'The tasks that the terminal lists, a page at a time; they count once the last page is there.',
  },
  'operators.set': {
    type: 0x4b,
    direction: 'to-terminal',
    answer: 'list.taken',
    work: 'flash',
    fields: {
      ...PAGE,
      operators: list(
        'Operators.',
        group('Somebody who may log in.', {
          id: u16('Their number.', { min: 1 }),
          name: text('Their name.', LISTED_NAME_BYTES),
          verifier: blob('Of their PIN; section 12.5.', VERIFIER_BYTES, { secret: true }),
        }),
        OPERATORS_PER_PAGE,
      ),
    },
    doc: 'Who may log in at the terminal, a page at a time; they count once the last page is there.',
  },
  'list.taken': { type: 0xca, direction: 'to-gateway', fields: {}, doc: 'The page is there.' },
} as const satisfies Record<string, MessageRow>;
