import { group, oneOf, time, u16, u32 } from '../codec/codec.ts';
import type { Value } from '../codec/codec.ts';

/** What a terminal writes into its log, by code. */
export const LOG_KINDS = {
  'user.enrolled': { code: 0x0101, doc: 'A user was added, or got a credential.' },
  'user.edited': { code: 0x0102, doc: 'A field of a user was changed or removed.' },
  'user.deleted': { code: 0x0103, doc: 'A user was deleted.' },
  'user.enrol.failed': { code: 0x0104, doc: 'An enrolment was begun and not completed.' },
  'access.granted': { code: 0x0201, doc: 'A user was let in.' },
  'access.denied': { code: 0x0202, doc: 'A user was refused, or nobody known asked.' },
  'terminal.started': { code: 0x0301, doc: 'The terminal started.' },
  'terminal.clock.set': {
    code: 0x0302,
    doc: 'The clock was set; the detail is the step in seconds, at most 65,535.',
  },
  'terminal.tampered': { code: 0x0303, doc: 'The housing was opened.' },
  'log.cleared': { code: 0x0304, doc: 'The log was cleared; ids go on.' },
  'operator.in': { code: 0x0401, doc: 'An operator logged in; the detail says who.' },
  'operator.out': { code: 0x0402, doc: 'The operator logged out; the detail says who.' },
  'operator.refused': { code: 0x0403, doc: 'A wrong PIN; the detail says whose it was to be.' },
  'sync.wanted': {
    code: 0x0411,
    doc: 'A portable terminal wants to sync; the detail says who, or was last, logged in.',
  },
  'sync.cancelled': { code: 0x0412, doc: 'A sync was cancelled at the terminal.' },
  'sync.forgets': {
    code: 0x0413,
    doc: 'An operator confirmed that unsent changes are lost with the next download; the detail says who.',
  },
  'sync.stored': {
    code: 0x0414,
    doc: 'A downloaded slice became the live table; the detail is the low half of its task.',
  },
} as const satisfies Record<string, { code: number; doc: string }>;

export type LogKind = keyof typeof LOG_KINDS;

const kinds = new Map<number, LogKind>(
  (Object.keys(LOG_KINDS) as LogKind[]).map((kind) => [LOG_KINDS[kind].code, kind]),
);

/** What a code means; `undefined` for one of a later release. */
export function logKind(code: number): LogKind | undefined {
  return kinds.get(code);
}

/** One log record on the wire, 19 bytes. */
export const LOG_RECORD = group('A log record.', {
  id: u32('Counts up by one from 1 for the life of the terminal.'),
  time: time('When, by the terminal’s clock; never trusted for order.'),
  code: u16('What happened: see the table of log codes.'),
  origin: oneOf('Who made the change.', { terminal: 0, gateway: 1 }),
  user: u32('User id, 0 for none.'),
  detail: u16('More, by code: the field number of a credential, else 0.'),
});

export const LOG_RECORD_BYTES = 19;

export type LogRecord = Value<typeof LOG_RECORD>;
