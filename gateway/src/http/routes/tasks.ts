import { z } from 'zod';
import { taskSchema } from '../../settings/task.ts';
import { TASK_EFFECTS } from '../../tasks/preview.ts';
import { route } from '../route.ts';
import { after, count, definedOnly, done, milliseconds, text } from '../schemas.ts';

const id = z.object({ id: z.coerce.number().int().min(1).max(0xffff_ffff) });
const taskView = taskSchema.safeExtend({ id: z.int(), changed: milliseconds });
const { name, slice, files, terminals, operators, validFrom, validUntil } = taskSchema.shape;
const changes = z.strictObject({
  name: name.optional(),
  slice: slice.optional(),
  files: files.unwrap().optional(),
  terminals: terminals.unwrap().optional(),
  operators: operators.unwrap().optional(),
  validFrom: validFrom.nullable().describe('null: always.'),
  validUntil: validUntil.nullable().describe('null: for ever.'),
});

const previewSchema = z.strictObject({
  task: z.int(),
  terminal: z.string(),
  users: z.int().describe('Of the slice.'),
  capacity: z.int().optional().describe('Users that the terminal can hold; absent while it does not answer.'),
  fits: z.boolean().describe('The slice has room there; true while that is not known.'),
  same: z.int(),
  added: z.int(),
  changed: z.int(),
  removed: z.int(),
  trimmed: z.int().describe('Users some of whose fields the terminal cannot hold.'),
  bytes: z.int().describe('Of users to be sent, without what the line adds.'),
  fileBytes: z.int().describe('Of all files of the task.'),
  seconds: z
    .number()
    .optional()
    .describe('On the terminal’s line, with files; absent where bytes take no known time.'),
  who: z.array(z.strictObject({ user: z.int(), effect: z.enum(TASK_EFFECTS) })).readonly(),
  next: z.int().optional().describe('`after` of the next page, when there is one.'),
});

/** Sync tasks: which part of the users a portable terminal carries. */
export const taskRoutes = [
  route({
    method: 'GET',
    path: '/tasks',
    name: 'tasks.list',
    role: 'viewer',
    doc: 'Sync tasks, by ascending id.',
    answer: z.array(taskView).readonly(),
    handle: (_asked, { tasks }) => tasks.tasks(),
  }),
  route({
    method: 'GET',
    path: '/tasks/:id',
    name: 'tasks.show',
    role: 'viewer',
    doc: 'A sync task.',
    params: id,
    answer: taskView,
    handle: ({ params }, { tasks }) => tasks.task(params.id),
  }),
  route({
    method: 'POST',
    path: '/tasks',
    name: 'tasks.add',
    role: 'installer',
    doc: 'Defines a sync task. Only the terminals that it names may run it.',
    body: taskSchema,
    detail: ({ body }) => body,
    answer: taskView,
    handle: ({ body }, { tasks }) => tasks.addTask(body),
  }),
  route({
    method: 'PATCH',
    path: '/tasks/:id',
    name: 'tasks.edit',
    role: 'installer',
    doc: 'Changes what is named of a sync task; terminals get it with their next session.',
    params: id,
    body: changes,
    detail: ({ body }) => body,
    answer: taskView,
    handle: ({ params, body }, { tasks }) => tasks.changeTask(params.id, definedOnly(body)),
  }),
  route({
    method: 'DELETE',
    path: '/tasks/:id',
    name: 'tasks.remove',
    role: 'installer',
    doc: 'Removes a sync task; what terminals got of it stays there until they sync another.',
    params: id,
    answer: done,
    handle: async ({ params }, { tasks }) => {
      await tasks.removeTask(params.id);
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/tasks/:id/preview/:terminal',
    name: 'tasks.preview',
    role: 'viewer',
    doc: 'What a synchronise of a terminal would bring now, as far as its last session tells what it holds: users, bytes and time on its line.',
    params: id.extend({ terminal: text }),
    query: z.strictObject({
      after: after.optional().describe('Names users with higher ids.'),
      limit: count.default(100).describe('Names so many users.'),
    }),
    answer: previewSchema,
    handle: ({ params, query }, { tasks }) =>
      tasks.preview(params.id, params.terminal, {
        limit: query.limit,
        ...definedOnly({ after: query.after }),
      }),
  }),
];
