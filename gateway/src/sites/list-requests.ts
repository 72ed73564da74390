import { z } from 'zod';
import { fileName, operatorId, taskSchema } from '../settings/task.ts';

// How sync tasks, operators of portable terminals, and files travel down.

const count = z.int().min(0);
const millis = z.int().min(0);
/** Of a file's bytes. */
const digest = z.base64().max(64);

export const listsSchema = z.strictObject({
  ask: z.literal('lists'),
  /** Names the lists that the satellite has; empty for none. */
  known: z.string().max(64),
  /** Rows that have come on the pages before. */
  from: count,
  bytes: z.int().min(1),
});

const listed = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('task'), id: z.int().min(1), changed: millis, task: taskSchema }),
  z.strictObject({
    ...{ is: z.literal('operator'), id: operatorId },
    ...{ name: z.string().max(200), verifier: z.base64().max(400) },
  }),
  z.strictObject({
    ...{
      is: z.literal('file'),
      name: fileName,
      kind: z.string().max(32),
      size: count,
      digest,
      changed: millis,
    },
  }),
]);
export type ListRow = z.infer<typeof listed>;

export const listPageSchema = z.strictObject({
  /** Names all of it: another name than on the page before, and it is begun anew. */
  digest: z.string().max(64),
  rows: z.array(listed).readonly(),
  left: count,
});

/** A piece of a file. */
export const fileSchema = z.strictObject({
  ...{ ask: z.literal('file'), name: fileName, digest, from: count, bytes: z.int().min(1) },
});

/** blob: its index; none when the file is another one by now. */
export const pieceSchema = z.strictObject({ blob: count.exactOptional() });
