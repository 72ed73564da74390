import { z } from 'zod';
import { MERGE_POLICIES, runtimeSettingsSchema } from '../../settings/runtime.ts';
import { mergeRules } from '../../sync/merge-rules.ts';
import { statusSchema } from '../../sync/status-schema.ts';
import { apiPlaceSchema } from '../place.ts';
import { route } from '../route.ts';
import { confirmation, pageOf, previewQuery, previewSchema } from '../preview.ts';
import { definedOnly, done } from '../schemas.ts';

/** How the gateway is, and what can be changed while it runs. */
export const settingsRoutes = [
  route({
    method: 'GET',
    path: '/status',
    name: 'status.show',
    role: 'viewer',
    doc: 'Lines, terminals, rates and queues.',
    answer: statusSchema.extend({ api: apiPlaceSchema.optional() }),
    handle: async (_asked, { operations, api }) => ({ ...(await operations.status()), api: api() }),
  }),
  route({
    method: 'GET',
    path: '/settings',
    name: 'settings.show',
    role: 'viewer',
    doc: 'What can be changed while the gateway runs.',
    answer: runtimeSettingsSchema,
    handle: (_asked, { operations }) => operations.settings(),
  }),
  route({
    method: 'PATCH',
    path: '/settings',
    name: 'settings.change',
    role: 'installer',
    doc:
      'Changes the settings that are named, and answers all. A change that removes many users from a terminal has to be ' +
      'confirmed; with `dryRun` it is answered who would be added, overwritten and removed, and where.',
    body: runtimeSettingsSchema.partial(),
    bodyIs: 'settings',
    query: previewQuery,
    detail: ({ body, query }) => ({ ...body, ...confirmation(query) }),
    answer: z.union([runtimeSettingsSchema, previewSchema]),
    handle: ({ body, query }, { operations }) =>
      query.dryRun
        ? operations.previewSettings(definedOnly(body), pageOf(query))
        : operations.changeSettings(definedOnly(body), { confirm: query.confirm }),
  }),
  route({
    method: 'POST',
    path: '/scope/apply',
    name: 'scope.apply',
    role: 'installer',
    doc:
      'Does what an edited configuration asks for, when that removes so many users from a terminal that it was held ' +
      'back; with `dryRun` it is answered who.',
    query: previewQuery,
    detail: ({ query }) => confirmation(query),
    answer: z.union([done, previewSchema]),
    handle: async ({ query }, { operations }) => {
      if (query.dryRun) return operations.previewScope(pageOf(query));
      await operations.applyScope({ confirm: query.confirm });
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/merge-rules',
    name: 'merge-rules.list',
    role: 'viewer',
    doc: 'What a merge does with each field.',
    answer: z
      .array(
        z.strictObject({
          field: z.string(),
          policy: z.enum(MERGE_POLICIES),
          chosen: z.enum(['field', 'kind', 'default']).describe('What it was chosen with.'),
          allowed: z.array(z.enum(MERGE_POLICIES)).readonly().describe('Policies that can be chosen.'),
          doc: z.string(),
        }),
      )
      .readonly(),
    handle: async (_asked, { operations }) => mergeRules((await operations.settings()).merge),
  }),
];
