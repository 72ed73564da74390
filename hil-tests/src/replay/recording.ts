import { readFileSync } from 'node:fs';
import { describe, WhorlError } from '@whorl/protocol';
import { dumpSchema } from '@whorl/device-emulator/fleet/dump';
import { z } from 'zod';

const shape = dumpSchema.shape;
const number = z.int().min(0).max(0xffff_ffff);
const address = z.int().min(0).max(255);

const seat = z.strictObject({
  line: z.string(),
  address,
  serial: z.string().max(32),
  firmware: z.string().max(24),
  capabilities: shape.capabilities,
  epoch: number,
  boots: number,
  clock: shape.clock,
  /** Where its log stood before anything happened. */
  log: shape.log,
  users: shape.users,
  /** Where the gateway had read to; nothing when it had never seen the terminal. */
  position: number.optional(),
  /** When it gave no sign of life although it was asked, milliseconds after the beginning. */
  silent: z.array(z.tuple([z.number(), z.number()])),
});

/** What people did, at a terminal or at the gateway. */
const deed = z.strictObject({
  atMs: z.number(),
  line: z.string(),
  /** 0 for the gateway. */
  address,
  put: shape.users.optional(),
  dropped: z.array(number).optional(),
  records: shape.log.shape.records,
  /** It starts anew, and is gone for so long. */
  goneMs: z.number().min(0).optional(),
});

const fate = z.strictObject({
  /** Heard by nobody. */
  lost: z.boolean().optional(),
  /** Answers that arrived damaged. */
  damaged: z.boolean().optional(),
  /** Answered after so many milliseconds, when somebody else had been asked. */
  lateMs: z.number().optional(),
  /** Refused for this reason. */
  refused: z.string().optional(),
});

/** A message that says something; what only keeps a session alive is left out. */
const said = z.strictObject({
  /** Which packet of the capture, from 1, as Wireshark counts. */
  packet: z.int().min(1),
  atMs: z.number(),
  line: z.string(),
  /** 0 for all of the line. */
  address,
  from: z.enum(['gateway', 'terminal']),
  what: z.string(),
  /** It is not compared. */
  minor: z.boolean().optional(),
  /** Of what the gateway said: what became of it, unless it was answered as it should be. */
  fate: fate.optional(),
});

/** What the gateway said to a terminal, to be said again: pseudonyms for users, numbers for keys. */
const ask = z.strictObject({
  packet: z.int().min(1),
  /** When its last byte had arrived. */
  atMs: z.number(),
  line: z.string(),
  /** 0 for all of the line. */
  address,
  /** The same one again is the same frame again. */
  sequence: z.int().min(0).max(0xffff),
  /** The message, in hex. */
  payload: z.string().regex(/^(?:[0-9a-f]{2})+$/),
  /** Of what is not asked of one terminal for an answer: addresses of those who are seen not to have heard it. */
  missed: z.array(address).optional(),
  /** What became of it, unless it was answered as it should be. */
  fate: fate.optional(),
  /** Number of the transfer that it was offered in answer. */
  offered: z.int().min(0).max(0xffff).optional(),
});

/** What a terminal answered, in lines to compare. */
const answer = z.strictObject({
  packet: z.int().min(1),
  atMs: z.number(),
  line: z.string(),
  address,
  /** Packet of what it answers, if that is known. */
  to: z.int().min(1).optional(),
  lines: z.array(z.string()).min(1),
});

/** What lines said, told so that it can be done again: without session, keys, or anything that tells of a person. */
export const recordingSchema = z.strictObject({
  recording: z.literal(2, 'another release kept it; keep it anew from its capture'),
  /** Milliseconds UTC. */
  began: z.int().min(0),
  lastsMs: z.number().min(0),
  lines: z.array(z.strictObject({ name: z.string(), baud: z.int().min(1).optional() })),
  seats: z.array(seat),
  deeds: z.array(deed),
  said: z.array(said),
  asks: z.array(ask),
  answers: z.array(answer),
  packets: z.int().min(0),
  /** Sealed packets that no key opened. */
  unopened: z.int().min(0),
});

export type Recording = z.infer<typeof recordingSchema>;
export type Seat = Recording['seats'][number];
export type Deed = Recording['deeds'][number];
export type Said = Recording['said'][number];
export type Ask = z.infer<typeof ask>;
export type Answer = z.infer<typeof answer>;
export type Fate = z.infer<typeof fate>;

/** Reads a recording that was kept. @throws WhorlError REPLAY_FILE naming file and place */
export function readRecording(path: string): Recording {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new WhorlError('REPLAY_FILE', `${path}: ${describe(cause)}`, { cause });
  }
  const parsed = recordingSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new WhorlError('REPLAY_FILE', `${path} ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`);
}
