import { z } from 'zod';
import { MERGE_KEYS } from './runtime.ts';

// What an installer says of a sync task: which part of the users a portable terminal carries, and who may fetch it.

/** Bytes of a name that terminals show. */
export const SHOWN_NAME_BYTES = 32;
/** Of a list of users; a larger slice is made by access groups. */
const MOST_LISTED = 10_000;
const MOST_FILES = 64;
/** `site/terminal` */
const MOST_TERMINAL_LENGTH = 80;

/** A name that a terminal's display has room for. */
export const shownName = z
  .string()
  .trim()
  .min(1)
  .refine(
    (text) => Buffer.byteLength(text) <= SHOWN_NAME_BYTES,
    `at most ${SHOWN_NAME_BYTES} bytes, for a terminal’s display`,
  );

/** A file's name, at the gateway and at terminals. */
export const fileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, 'letters, digits, dots, dashes and underscores, at most 32');

/** An operator's number, which is also what is typed at the terminal. */
export const operatorId = z.int().min(1).max(0xffff);

const keys = z.array(z.enum(MERGE_KEYS)).max(MERGE_KEYS.length).readonly();

const who = z
  .discriminatedUnion('by', [
    z.strictObject({
      by: z.literal('groups'),
      groups: z.array(z.int().min(1).max(0xffff)).min(1).max(1000).readonly(),
    }),
    z.strictObject({ by: z.literal('site'), site: z.string().min(1).max(64) }),
    z.strictObject({
      by: z.literal('users'),
      users: z.array(z.int().min(1).max(0xffff_ffff)).max(MOST_LISTED).readonly(),
    }),
  ])
  .describe(
    'groups: whoever has one of these access groups. site: whoever belongs at a terminal of this site, which is named as ' +
      'its gateway is. users: these.',
  );

/** Which users, and which of their fields. */
export const sliceSchema = z.strictObject({
  who,
  only: keys
    .optional()
    .describe(
      'Fields, or kinds of credentials, that go along; all when not given. The name always does: people must find each other.',
    ),
  without: keys.default([]).describe('Fields, or kinds of credentials, that do not.'),
});
export type Slice = z.infer<typeof sliceSchema>;

const moment = z.int().min(0).describe('Milliseconds UTC.');

/** A sync task as it is defined. */
export const taskSchema = z
  .strictObject({
    name: shownName,
    slice: sliceSchema,
    files: z.array(fileName).max(MOST_FILES).readonly().default([]).describe('Names of files that go along.'),
    terminals: z
      .array(z.string().min(1).max(MOST_TERMINAL_LENGTH))
      .max(1000)
      .readonly()
      .default([])
      .describe(
        'Names of the terminals that may run it; no other may. A satellite’s is named with it, at the master: north/door-1.',
      ),
    operators: z
      .array(operatorId)
      .max(1000)
      .readonly()
      .default([])
      .describe('Operators who may run it; any operator when none is named.'),
    validFrom: moment.optional(),
    validUntil: moment.optional().describe('First moment at which it is valid no more, milliseconds UTC.'),
  })
  .refine(
    ({ validFrom, validUntil }) =>
      validFrom === undefined || validUntil === undefined || validFrom < validUntil,
    'validFrom lies after validUntil',
  );
export type TaskDefinition = z.infer<typeof taskSchema>;
