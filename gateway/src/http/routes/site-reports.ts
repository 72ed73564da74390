import { z } from 'zod';
import { REPORTS } from '../../sites/reports.ts';
import type { ReportKind } from '../../sites/reports.ts';
import { sendReport } from '../report-text.ts';
import { OwnAnswer, route } from '../route.ts';
import { text } from '../schemas.ts';

const KINDS: readonly ReportKind[] = ['enrolments', 'entries', 'refusals', 'holdings'];
const docs = KINDS.map((kind) => `${kind}: ${REPORTS[kind].doc}`).join('; ');
const time = z.coerce.number().int().min(0);

/** Reports over all sites. */
export const siteReportRoutes = [
  route({
    method: 'GET',
    path: '/sites/report/:kind',
    name: 'sites.report',
    role: 'operator',
    doc: `At the master over all sites, elsewhere over this one: ${docs}. Streamed, however long; who asked is in the audit trail.`,
    params: z.object({ kind: z.enum(KINDS) }),
    query: z.strictObject({
      from: time.optional().describe('Milliseconds UTC.'),
      until: time.optional().describe('Milliseconds UTC, exclusive.'),
      site: text.optional().describe('Name of a gateway.'),
      format: z.enum(['csv', 'json']).default('json'),
    }),
    media: ['application/json', 'text/csv'],
    answer: z.array(z.record(z.string(), z.union([z.string(), z.int()]))).readonly(),
    audited: 'look',
    target: ({ params, query }) =>
      `report ${params.kind}${query.site === undefined ? '' : ` of ${query.site}`}`,
    detail: ({ query }) => query,
    handle: async ({ params: { kind }, query: { site, from, until, format } }, { sites, onFailure }) => {
      const pages = await sites.report({ kind, site, from, until });
      const { columns } = REPORTS[kind];
      return new OwnAnswer((reply) => sendReport(reply, { columns, pages, format, onFailure }));
    },
  }),
];
