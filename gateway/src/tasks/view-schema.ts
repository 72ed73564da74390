import { z } from 'zod';
import { SYNC_STATES } from '../store/tasks.ts';
import { SYNC_STAGES } from '../terminals/portable.ts';
import type { SyncView } from './operations.ts';

const count = z.int().min(0);
const moment = z.int().describe('Milliseconds UTC.');

/** {@link SyncView}, for those who say it to programs. */
export const syncViewSchema = z.strictObject({
  id: z.int(),
  terminal: z.string(),
  serial: z.string(),
  epoch: z.int().describe('Of the terminal’s log.'),
  number: z.int().describe('Of the terminal’s wish.'),
  mode: z.enum(['synchronise', 'send']),
  task: z.int(),
  name: z.string().describe('Of the task, as far as it is known.'),
  operator: z.int().describe('0 for nobody.'),
  automatic: z.boolean().describe('Begun by the dock.'),
  forget: z.boolean().describe('The operator confirmed that changes which were not sent are lost.'),
  files: z.boolean(),
  state: z.enum(SYNC_STATES).describe('running: also while the terminal is away.'),
  began: moment,
  ended: moment.optional(),
  merged: count.describe('Changes sent and merged.'),
  conflicts: count.describe('Changes sent that were not taken whole.'),
  refused: count.describe('Changes sent and not taken.'),
  users: count.describe('Of the slice, at the terminal, once it is done.'),
  downloaded: count.describe('Of these, sent in this session.'),
  removed: count,
  bytes: count.describe('Of users and files sent to the terminal.'),
  reason: z.string().optional(),
  progress: z
    .strictObject({
      stage: z.enum(SYNC_STAGES),
      done: count.describe('Users, or files, of `total`.'),
      total: count,
      bytes: count.describe('In this stage.'),
      rate: count.describe('Bytes a second.'),
      left: count.describe('Seconds, as far as can be told.'),
    })
    .optional()
    .describe('While it runs and the terminal answers.'),
} satisfies Record<keyof SyncView, z.ZodType>);
