import { z } from 'zod';
import type { EventRow } from './row.ts';

const reason = z.string().describe('Why, in a sentence.');
const taskData = z.strictObject({ task: z.int().describe('Id of the task.'), name: z.string() });
const ofSync = { sync: z.int().describe('Id of the session.'), task: z.int().describe('Id of the task.') };

/** What happens to sync tasks, and in the sync sessions of portable terminals. */
export const SYNC_EVENTS = {
  'task.added': { level: 'info', data: taskData, doc: 'A sync task was defined.' },
  'task.changed': { level: 'info', data: taskData, doc: 'A sync task was changed.' },
  'task.removed': { level: 'info', data: taskData, doc: 'A sync task was removed.' },
  'task.lists.changed': {
    level: 'info',
    data: z.strictObject({ list: z.enum(['operators', 'files']) }),
    doc: 'Operators of portable terminals, or files of sync tasks, were changed.',
  },
  'sync.began': {
    level: 'info',
    data: z.strictObject({
      ...ofSync,
      mode: z.enum(['synchronise', 'send']),
      operator: z.int().describe('Who is, or was last, logged in at the terminal; 0 for nobody.'),
      automatic: z.boolean().describe('Begun by the dock.'),
      forgets: z.boolean().describe('The operator confirmed that changes which were not sent are lost.'),
    }),
    doc: 'A portable terminal began a sync session.',
  },
  'sync.refused': {
    level: 'warning',
    data: z.strictObject({
      ...ofSync,
      operator: z.int(),
      code: z.string().describe('To search for.'),
      reason,
    }),
    doc: 'A portable terminal wanted a task that it, or its operator, may not run, or not now.',
  },
  'sync.change.refused': {
    level: 'warning',
    data: z.strictObject({ sync: ofSync.sync, seq: z.int().describe('Of the terminal’s journal.'), reason }),
    doc: 'A change that was made at a portable terminal was not taken.',
  },
  'sync.done': {
    level: 'info',
    data: z.strictObject({
      ...ofSync,
      merged: z.int().describe('Changes sent and merged.'),
      conflicts: z.int().describe('Changes sent that were not taken whole: see `whorl conflicts`.'),
      refused: z.int().describe('Changes sent and not taken.'),
      users: z.int().describe('Users whom the terminal carries now.'),
      downloaded: z.int().describe('Of these, sent to it in this session.'),
      removed: z.int(),
      bytes: z.int().describe('Of users and files.'),
      ms: z.int().describe('How long it took, milliseconds.'),
    }),
    doc: 'A sync session is done.',
  },
  'sync.failed': {
    level: 'warning',
    data: z.strictObject({ ...ofSync, reason }),
    doc: 'A sync session failed; the terminal holds what it held before.',
  },
  'sync.cancelled': {
    level: 'info',
    data: z.strictObject({ ...ofSync, by: z.string().describe('operator, or who did it at the gateway.') }),
    doc: 'A sync session was cancelled; the terminal holds what it held before.',
  },
} as const satisfies Record<string, EventRow>;
