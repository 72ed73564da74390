import { z } from 'zod';
import type { JobControl } from '../../jobs/jobs.ts';
import type { Operations } from '../../sync/operations.ts';
import type { Side } from '../../sync/resolve.ts';
import { errorView } from '../errors.ts';
import { followJob } from '../follow-job.ts';
import { jobSchema } from '../job-schema.ts';
import { confirmation, pageOf, previewQuery, previewSchema } from '../preview.ts';
import { OwnAnswer, route } from '../route.ts';
import { count, done, text } from '../schemas.ts';
import { wantsSse } from '../stream.ts';
import { importSchema, importUsers, preparedImport } from '../transfer.ts';

const id = z.object({ id: z.coerce.number().int().min(1) });

/** Users named in the report of a terminal. */
const MOST_NAMED = 100;
const MOST_IMPORT_BYTES = 64 << 20;

/** Long work: begun, looked at, followed, cancelled. */
export const jobRoutes = [
  route({
    method: 'POST',
    path: '/jobs/import',
    name: 'jobs.import',
    role: 'operator',
    doc:
      'Adds users, or changes those who are there, as a job; all of the request is checked before it begins. Where that ' +
      'overwrites many at a terminal it has to be confirmed; with `dryRun` it is answered who would be added and ' +
      'overwritten, and where, and no job begins.',
    query: previewQuery,
    body: importSchema,
    mostBytes: MOST_IMPORT_BYTES,
    detail: ({ body, query }) => ({
      users: body.users.length,
      records: body.records.length,
      ...confirmation(query),
    }),
    answer: z.union([jobSchema, previewSchema]),
    status: 202,
    handle: async ({ body, query, caller }, { operations, store, jobs }) => {
      const edits = preparedImport(body);
      if (query.dryRun) return operations.previewImport(edits, pageOf(query));
      await operations.allowImport(edits, { confirm: query.confirm });
      return jobs.start({ kind: 'import', who: caller.name, total: edits.length }, (control) =>
        importUsers(operations, store, edits, control),
      );
    },
  }),
  route({
    method: 'POST',
    path: '/jobs/compare',
    name: 'jobs.compare',
    role: 'installer',
    doc:
      'Compares what terminals hold with what they should, one after the other, as a job; with `take`, resolves what ' +
      'differs, unless that removes so many users that it has to be confirmed. The result has a report, or an error, by terminal.',
    body: z.strictObject({
      terminals: z.array(text).min(1).optional().describe('All when not given.'),
      take: z
        .enum(['gateway', 'terminal', 'both'])
        .optional()
        .describe('Whose side is taken where they differ; absent to look only.'),
    }),
    detail: ({ body }) => body,
    answer: jobSchema,
    status: 202,
    handle: async ({ body, caller }, { operations, jobs }) => {
      const terminals = body.terminals ?? (await operations.status()).terminals.map(({ name }) => name);
      return jobs.start({ kind: 'compare', who: caller.name, total: terminals.length }, (control) =>
        compareAll(operations, terminals, body.take, control),
      );
    },
  }),
  route({
    method: 'GET',
    path: '/jobs',
    name: 'jobs.list',
    role: 'viewer',
    doc: 'Jobs that run and that ended, newest first; the newest thousand are kept.',
    query: z.strictObject({ limit: count.default(50) }),
    answer: z.array(jobSchema).readonly(),
    handle: ({ query }, { jobs }) => jobs.list(query.limit),
  }),
  route({
    method: 'GET',
    path: '/jobs/:id',
    name: 'jobs.show',
    role: 'viewer',
    doc: 'A job: how far it is, and what came of it.',
    params: id,
    answer: jobSchema,
    handle: ({ params }, { jobs }) => jobs.job(params.id),
  }),
  route({
    method: 'GET',
    path: '/jobs/:id/progress',
    name: 'jobs.follow',
    role: 'viewer',
    doc: 'A job each time that it has moved on, until it has ended: a JSON object a line, or server-sent events.',
    params: id,
    media: ['application/x-ndjson', 'text/event-stream'],
    answer: jobSchema,
    handle: async ({ params, request }, { jobs, clock, onFailure }) => {
      await jobs.job(params.id);
      const sse = wantsSse(request);
      return new OwnAnswer((reply) => followJob({ reply, jobs, clock, sse, onFailure, id: params.id }));
    },
  }),
  route({
    method: 'POST',
    path: '/jobs/:id/cancel',
    name: 'jobs.cancel',
    role: 'operator',
    doc: 'Asks a job to end; what it has done stays done.',
    params: id,
    answer: done,
    handle: async ({ params }, { jobs }) => {
      await jobs.cancel(params.id);
      return {};
    },
  }),
];

async function compareAll(
  operations: Operations,
  terminals: readonly string[],
  take: Side | undefined,
  control: JobControl,
): Promise<unknown> {
  const reports: Record<string, unknown> = {};
  for (const [index, terminal] of terminals.entries()) {
    if (control.signal.aborted) break;
    try {
      reports[terminal] = await operations.compare(terminal, { take, limit: MOST_NAMED });
    } catch (error) {
      reports[terminal] = errorView(error);
    }
    await control.progress(index + 1);
  }
  return reports;
}
