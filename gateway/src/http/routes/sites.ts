import { z } from 'zod';
import { MOST_SITES, siteSyncSchema } from '../../settings/sites.ts';
import {
  asideViewSchema,
  brokerWishSchema,
  sitePreviewSchema,
  sitesStatusSchema,
} from '../../sites/operations.ts';
import { probeSchema } from '../../sites/probe.ts';
import { confirmation, pageOf, previewQuery } from '../preview.ts';
import { route } from '../route.ts';
import { count, definedOnly, done, secret, text } from '../schemas.ts';

const params = z.object({ name: text });
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'small letters, digits and dashes, at most 32');
const groups = z
  .array(z.int().min(1).max(65_535))
  .max(1000)
  .describe('Access groups that reach it; all users belong there without them.');

const eventSchema = z.strictObject({
  site: z.int().describe('Sync id.'),
  run: z.string(),
  name: z
    .string()
    .optional()
    .describe('Of the site that told of it; another one may have its sync id by now.'),
  id: z.int(),
  time: z.int(),
  type: z.string(),
  line: z.string().optional(),
  terminal: z.string().optional(),
  user: z.int().optional(),
  origin: z.string().optional(),
  data: z.looseObject({}),
});

/** Master and satellites; what changes settings needs the lock to be open for whoever asks. */
export const siteRoutes = [
  route({
    method: 'GET',
    path: '/sites',
    name: 'sites.status',
    role: 'viewer',
    doc: 'What this gateway is among others, and how its exchange with them stands.',
    answer: sitesStatusSchema,
    handle: ({ caller }, { sites }) => sites.status(caller.name),
  }),
  route({
    method: 'POST',
    path: '/sites',
    name: 'sites.add',
    role: 'admin',
    doc: 'Adds a satellite to the master’s list.',
    body: z.strictObject({
      syncId: z.int().min(1).max(MOST_SITES),
      name: name.describe('`gateway.name` of the satellite.'),
      url: z.string().max(300).default('').describe('Where its own API is, for people.'),
      user: text.describe('That it logs in with.'),
      password: secret,
      groups: groups.optional(),
    }),
    target: ({ body }) => `site ${body.name}`,
    detail: ({ body: { password: _, ...rest } }) => rest,
    answer: done,
    handle: async ({ body, caller }, { sites }) => {
      await (await sites.settings(caller.name)).add(body);
      return {};
    },
  }),
  route({
    method: 'PATCH',
    path: '/sites/:name',
    name: 'sites.edit',
    role: 'admin',
    doc:
      'Changes a satellite of the list: its address, its password, which access groups reach it (`null` for all users). ' +
      'Groups that remove many users from it have to be confirmed; with `dryRun`, which needs no code, it is answered ' +
      'who would be added there and removed from there.',
    params,
    query: previewQuery,
    body: z.strictObject({
      url: z.string().max(300).optional(),
      password: secret.optional(),
      groups: groups.nullable().optional(),
    }),
    detail: ({ body: { password, ...rest }, query }) => ({
      ...{ ...rest, ...confirmation(query) },
      ...(password === undefined ? {} : { password: 'new' }),
    }),
    answer: z.union([done, sitePreviewSchema]),
    handle: async ({ params, query, body, caller }, { sites }) => {
      if (query.dryRun) return sites.previewEdit(params.name, body, pageOf(query));
      await (await sites.settings(caller.name)).edit(params.name, body, { confirm: query.confirm });
      return {};
    },
  }),
  route({
    method: 'DELETE',
    path: '/sites/:name',
    name: 'sites.remove',
    role: 'admin',
    doc:
      'Removes a satellite from the list; it is let in no more. The copy of its events stays. With `dryRun`, which ' +
      'needs no code, it is answered whom it keeps, as they are.',
    params,
    query: previewQuery.omit({ confirm: true }),
    answer: z.union([done, sitePreviewSchema]),
    handle: async ({ params, query, caller }, { sites }) => {
      if (query.dryRun) return sites.previewRemoval(params.name, pageOf(query));
      await (await sites.settings(caller.name)).remove(params.name);
      return {};
    },
  }),
  route({
    method: 'POST',
    path: '/sites/:name/reset',
    name: 'sites.reset',
    role: 'admin',
    doc: 'Forgets machine, tokens and cursors of a satellite in one step: the next machine that logs in with its password is this site.',
    params,
    answer: done,
    handle: async ({ params, caller }, { sites }) => {
      await (await sites.settings(caller.name)).reset(params.name);
      return {};
    },
  }),
  route({
    method: 'POST',
    path: '/sites/broker-config',
    name: 'sites.broker',
    role: 'admin',
    doc: 'At a master with a broker of yours: files with accounts and access rules for that broker, made of the list. Passwords stand there as hashes.',
    body: brokerWishSchema,
    detail: ({ body }) => body,
    answer: z.array(z.strictObject({ name: z.string(), text: z.string() })).readonly(),
    handle: ({ body }, { sites }) => sites.brokerFiles(body),
  }),
  route({
    method: 'POST',
    path: '/sites/sync',
    name: 'sites.sync',
    role: 'operator',
    doc: 'At a satellite: an exchange now, whatever the interval says; answered when it has ended.',
    body: z.strictObject({
      release: z.boolean().default(false).describe('Also removes the users whom the guard has kept here.'),
    }),
    detail: ({ body }) => body,
    answer: sitesStatusSchema,
    handle: async ({ body, caller }, { sites }) => {
      await sites.sync(body);
      return sites.status(caller.name);
    },
  }),
  route({
    method: 'POST',
    path: '/sites/test-connection',
    name: 'sites.test',
    role: 'operator',
    doc: 'Looks at the connection step by step: of a satellite to its master, of a master to the satellite that is named. It needs no code, binds nothing, and does not disturb an exchange.',
    body: z.strictObject({ site: text.optional() }),
    detail: ({ body }) => body,
    answer: z.array(probeSchema).readonly(),
    handle: ({ body }, { sites }) => sites.testConnection(body.site),
  }),
  route({
    method: 'POST',
    path: '/sites/settings',
    name: 'sites.settings',
    role: 'installer',
    doc: 'At a satellite: when and how fast it syncs.',
    body: siteSyncSchema.partial(),
    detail: ({ body }) => body,
    answer: siteSyncSchema,
    handle: async ({ body, caller }, { sites }) =>
      (await sites.settings(caller.name)).changeSettings(definedOnly(body)),
  }),
  route({
    method: 'GET',
    path: '/sites/aside',
    name: 'sites.aside',
    role: 'viewer',
    doc: 'Rows of the exchange that could not be integrated, each with its reason; they are tried again with each exchange.',
    answer: z.array(asideViewSchema).readonly(),
    handle: (_asked, { sites }) => sites.aside(),
  }),
  route({
    method: 'GET',
    path: '/sites/events',
    name: 'sites.events',
    role: 'viewer',
    doc: 'At the master: what happened at the satellites, newest first. Go on with `beforeTime`, `beforeSite` and `beforeId` of the last one.',
    query: z.strictObject({
      site: z.coerce.number().int().optional(),
      user: z.coerce.number().int().optional(),
      terminal: text.optional(),
      type: text.optional(),
      from: z.coerce.number().int().optional(),
      until: z.coerce.number().int().optional(),
      beforeTime: z.coerce.number().int().optional(),
      beforeSite: z.coerce.number().int().default(0),
      beforeId: z.coerce.number().int().default(0),
      limit: count.default(100),
    }),
    answer: z.array(eventSchema).readonly(),
    handle: ({ query: { beforeTime, beforeSite, beforeId, limit, ...filter } }, { sites }) =>
      sites.events({
        ...definedOnly(filter),
        limit,
        ...(beforeTime === undefined ? {} : { before: { time: beforeTime, site: beforeSite, id: beforeId } }),
      }),
  }),
];
