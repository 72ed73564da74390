import { z } from 'zod';
import { runtimeSettingsSchema } from '../settings/runtime.ts';
import { fileSchema, listPageSchema, listsSchema, pieceSchema } from './list-requests.ts';

// What a satellite asks, and what its master answers. Users travel as blobs, named by their index.

const seq = z.int().min(0);
const user = z.int().min(1).max(0xffff_ffff);
const blob = z.int().min(0);
const millis = z.int().min(0);
const shown = z.string().max(400);

/** Names the change at the master that made a user: with another one than before, it is another person. */
/** Names a change at the master: the run, and the position in the log. */
const born = z.string().max(90);
const cursor = z.strictObject({ run: z.string().max(64), seq });

/** Who wrote a field, without what only the gateway where it was written knows. */
const writer = z.strictObject({
  origin: z.enum(['terminal', 'gateway']),
  /** `site/terminal` */
  terminal: z.string().max(80).exactOptional(),
  time: millis,
  /** Nobody knows when: it was seen at the terminal then. */
  found: z.literal(true).exactOptional(),
  /** Of the master's lists: the sync task that brought it, and who was logged in at the terminal. */
  task: z.int().min(1).exactOptional(),
  operator: z.int().min(1).exactOptional(),
});
export type Writer = z.infer<typeof writer>;

const terminal = z.strictObject({
  name: z.string().max(32),
  state: z.enum(['online', 'offline', 'quarantined']),
  pending: seq,
  verified: seq,
  failed: seq,
});

/** How a satellite is, for its master's status. */
export const summarySchema = z.strictObject({
  users: seq,
  conflicts: seq,
  /** Rows set aside. */
  aside: seq,
  terminals: z.array(terminal).max(300).readonly(),
});
export type Summary = z.infer<typeof summarySchema>;

const open = z.strictObject({
  ask: z.literal('open'),
  /** Which exchange it speaks; looked at before anything else. */
  protocol: z.int(),
  version: z.string().max(32),
  name: z.string().max(32),
  /** Milliseconds UTC. */
  time: millis,
  down: cursor.nullable(),
  summary: summarySchema,
});

const opened = z.strictObject({
  protocol: z.int(),
  name: z.string().max(32),
  time: millis,
  /** How far the master is in the satellite's logs. */
  up: z.strictObject({ users: cursor.nullable(), events: cursor.nullable(), holdings: cursor.nullable() }),
  /** Where the satellite goes on; lost: the master is older than what the satellite has got of it. */
  down: z.strictObject({ ...cursor.shape, lost: z.boolean() }),
  head: cursor,
  /** Names the scope. */
  scope: z.string().max(64),
  /** Of the next login. */
  token: blob,
  policies: runtimeSettingsSchema.pick({ merge: true, hold: true }),
});

const kept = z.strictObject({ ask: z.literal('kept') });
const nothing = z.strictObject({});

/** A sign of life, at any time: nothing is bound, stored or handed out. */
const ping = z.strictObject({ ask: z.literal('ping') });
const pong = z.strictObject({
  name: z.string().max(32),
  /** As the master's list has it. */
  site: z.string().max(32),
  syncId: z.int(),
  version: z.string().max(32),
  time: millis,
  /** Whether a machine is bound to this site. */
  bound: z.boolean(),
});

/** Answers the master, who wanted a sign of life. */
/** The satellite goes, in good order. */
const left = z.strictObject({ ask: z.literal('left') });
const echoed = z.strictObject({
  ask: z.literal('echoed'),
  echo: z.int(),
  version: z.string().max(32),
  time: millis,
});

/** One who was changed at a satellite: fields that differ from what the master sent, by who wrote them. */
const offer = z.strictObject({
  user,
  /** Version at the master that they were changed from; 0 when the master did not send this user. */
  base: seq,
  /** Of the user whom they were changed of; empty when it is not known. */
  born,
  parts: z
    .array(z.strictObject({ by: writer, blob }))
    .min(1)
    .max(64)
    .readonly(),
});
export type Offer = z.infer<typeof offer>;

export const offersSchema = z.strictObject({
  ask: z.literal('offers'),
  rows: z.array(offer).max(1000).readonly(),
  cursor,
});

/**
 * taken: all of it, or the master had it already. partly: the rest is a conflict, or not taken. apart: somebody else has
 * this id at the master. gone: the master has deleted this user. failed: set aside.
 */
const outcome = z.enum(['taken', 'partly', 'apart', 'gone', 'failed']);
export type Outcome = z.infer<typeof outcome>;

const answered = z.strictObject({
  /** born: of the user whom the master has now; empty for none. */
  results: z.array(z.strictObject({ user, outcome, born })).readonly(),
});

const event = z.strictObject({
  id: z.int().min(1),
  time: millis,
  type: z.string().max(64),
  line: z.string().max(64).exactOptional(),
  terminal: z.string().max(64).exactOptional(),
  user: z.int().exactOptional(),
  origin: z.enum(['terminal', 'gateway']).exactOptional(),
  data: z.looseObject({}),
});

const events = z.strictObject({
  ask: z.literal('events'),
  rows: z.array(event).max(5000).readonly(),
  cursor,
});

/** Whom terminals hold, with the time that it was seen, or no more when there is none. */
const holdings = z.strictObject({
  ask: z.literal('holdings'),
  /** All that was told before is not so any more. */
  fresh: z.boolean(),
  rows: z
    .array(z.tuple([z.string().max(32), user, millis.nullable()]))
    .max(5000)
    .readonly(),
  cursor,
});

const users = z.strictObject({ ask: z.literal('users'), after: cursor, bytes: z.int().min(1) });
/** stored: as far as it is stored at the satellite. */
const walk = z.strictObject({ ask: z.literal('walk'), before: seq, stored: seq, bytes: z.int().min(1) });

/** A user as it comes down, or that it goes. */
export const rowSchema = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('user'),
    user,
    version: z.int().min(1),
    born,
    at: born,
    blob,
    by: z.array(z.tuple([z.int(), writer])).readonly(),
    /** The satellite's own person under this id is another one: nothing is to be done until that is decided. */
    apart: z.literal(true).exactOptional(),
  }),
  z.strictObject({
    ...{ is: z.literal('gone'), user, why: z.enum(['deleted', 'erased', 'scope']) },
    /** That the master has said so, for when it has forgotten. */
    proven: born.exactOptional(),
    /** When it did so. */
    at: millis.exactOptional(),
  }),
]);
export type DownRow = z.infer<typeof rowSchema>;

const page = z.strictObject({
  rows: z.array(rowSchema).max(1000).readonly(),
  cursor,
  /** Changes that are left. */
  left: seq,
});
export type Page = z.infer<typeof page>;

/** Each with the change at the master that made the user, and with the one that it has come with, where they are known. */
const check = z.strictObject({
  ask: z.literal('check'),
  users: z
    .array(z.tuple([user, born, born]))
    .max(1000)
    .readonly(),
});
/**
 * deleted: by the master as it is now, with the proof and the time. older: there, as they were before what the satellite has. outside:
 * there, and not of this site.
 */
const missing = z.strictObject({
  missing: z.array(user).readonly(),
  deleted: z.array(z.tuple([user, born, millis]).readonly()).readonly(),
  older: z.array(user).readonly(),
  erased: z.array(user).readonly(),
  outside: z.array(user).readonly(),
});

/** The satellite went back to a backup: it has not all that the master gave it. */
const back = z.strictObject({ ask: z.literal('back') });

/** Whom a master that was restored had dropped before, and may have forgotten that. */
const gone = z.strictObject({
  ask: z.literal('gone'),
  rows: z
    .array(z.strictObject({ user, born, time: millis, erased: z.boolean() }))
    .max(1000)
    .readonly(),
});

const ended = z.strictObject({
  ask: z.literal('ended'),
  summary: summarySchema,
  code: shown.exactOptional(),
});

export const requestSchema = z.discriminatedUnion('ask', [
  open,
  kept,
  ping,
  echoed,
  left,
  offersSchema,
  events,
  holdings,
  users,
  walk,
  check,
  back,
  gone,
  listsSchema,
  fileSchema,
  ended,
]);
export type Request = z.infer<typeof requestSchema>;
export type Ask = Request['ask'];
export type RequestOf<Kind extends Ask> = Extract<Request, { ask: Kind }>;

/** What is answered to each. */
export const ANSWERS = {
  open: opened,
  kept: nothing,
  ping: pong,
  echoed: nothing,
  left: nothing,
  offers: answered,
  events: nothing,
  holdings: nothing,
  users: page,
  walk: page,
  check: missing,
  back: nothing,
  gone: nothing,
  lists: listPageSchema,
  file: pieceSchema,
  ended: nothing,
} as const satisfies Record<Ask, z.ZodType>;
export type AnswerOf<Kind extends Ask> = z.infer<(typeof ANSWERS)[Kind]>;

/** Whatever travels up has a number, by which it is answered. */
export const numberedSchema = z.looseObject({ id: z.int().min(1) });

/** What travels up: a request with its number. */
export const upSchema = z.strictObject({ id: z.int().min(1), request: requestSchema });

/** What travels down: an answer; that it is being worked on; that it failed; or, to nothing that was asked, that there is news, or that a sign of life is wanted. */
export const downSchema = z.union([
  z.strictObject({ id: z.int().min(1), answer: z.unknown() }),
  z.strictObject({ id: z.int().min(1), working: z.literal(true) }),
  z.strictObject({ id: z.int().min(1), failed: z.strictObject({ code: shown, text: shown }) }),
  z.strictObject({ news: z.literal(true) }),
  z.strictObject({ echo: z.int() }),
]);
export type Down = z.infer<typeof downSchema>;
