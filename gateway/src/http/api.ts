import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { EVENT_TYPES } from '../events/catalogue.ts';
import type { EventType, StoredEvent } from '../events/catalogue.ts';
import type { EventHub } from '../events/hub.ts';
import { nearest } from '../settings/nearest.ts';
import { runtimeSettingsSchema } from '../settings/runtime.ts';
import type { Store } from '../store/store.ts';
import { mergeRules } from '../sync/merge-rules.ts';
import type { Operations } from '../sync/operations.ts';
import { checked, errorView, statusOf } from './errors.ts';
import { importUsers, importSchema } from './transfer.ts';
import { editOf, summaryView, userEditSchema, userView } from './views.ts';

export interface ApiParts {
  readonly operations: Operations;
  readonly store: Store;
  readonly hub: EventHub;
  /** Told of errors that are none of the caller's. */
  readonly onFailure: (error: unknown) => void;
}

const MOST_BODY_BYTES = 64 << 20;
const count = z.coerce.number().int().min(1).max(10_000);
const id = z.coerce.number().int().min(1).max(0xffff_ffff);
const text = z.string().min(1).max(64);

const pairingCode = z.string().regex(/^\d{6}$/, 'the six digits that the terminal shows');

const userQuery = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  limit: count.default(100),
  name: text.optional(),
  group: z.coerce.number().int().optional(),
});
const ledgerQuery = z.strictObject({
  user: id.optional(),
  terminal: text.optional(),
  state: z.enum(['pending', 'sending', 'verified', 'failed', 'withheld']).optional(),
  limit: count.default(1000),
});
const eventQuery = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  last: count.optional(),
  limit: count.default(100),
  type: z.enum(EVENT_TYPES as [EventType, ...EventType[]]).optional(),
  terminal: text.optional(),
  user: id.optional(),
  follow: z.stringbool().default(false),
});

/** The gateway's API: translates requests to {@link Operations} and the store's questions; decides nothing. */
export function buildApi(parts: ApiParts): FastifyInstance {
  const app = fastify({ bodyLimit: MOST_BODY_BYTES, forceCloseConnections: true });
  app.setErrorHandler((error: unknown, _request, reply) => {
    const foreign =
      error instanceof Error &&
      'statusCode' in error &&
      typeof error.statusCode === 'number' &&
      error.statusCode < 500;
    const known =
      foreign && !(error instanceof WhorlError) ? new WhorlError('REQUEST_INVALID', error.message) : error;
    if (statusOf(known) === 500) parts.onFailure(error);
    void reply.status(statusOf(known)).send(errorView(known));
  });
  app.setNotFoundHandler((request, reply) => {
    void reply
      .status(404)
      .send(errorView(new WhorlError('REQUEST_UNKNOWN', `${request.method} ${request.url}`)));
  });
  stateRoutes(app, parts);
  userRoutes(app, parts);
  ledgerRoutes(app, parts);
  terminalRoutes(app, parts);
  return app;
}

function stateRoutes(app: FastifyInstance, { operations, store, hub }: ApiParts): void {
  app.get('/status', () => operations.status());
  app.get('/merge-rules', async () => mergeRules((await operations.settings()).merge));
  app.get('/settings', () => operations.settings());
  app.patch('/settings', (request) =>
    operations.changeSettings(
      definedOnly(checked(runtimeSettingsSchema.partial(), request.body, 'settings')),
    ),
  );
  app.get('/events', async (request, reply) => {
    const query = checked(eventQuery, request.query, 'query');
    await knownTerminal(operations, query.terminal);
    const filter = definedOnly({
      after: query.after,
      type: query.type,
      terminal: query.terminal,
      user: query.user,
    });
    const events = await store.events({
      ...filter,
      newest: query.last !== undefined,
      limit: query.last ?? query.limit,
    });
    if (!query.follow) return events;
    return follow(
      reply,
      hub,
      events,
      (event) =>
        (query.type ?? event.type) === event.type &&
        (query.terminal ?? event.terminal) === event.terminal &&
        (query.user ?? event.user) === event.user,
    );
  });
}

function userRoutes(app: FastifyInstance, { operations, store }: ApiParts): void {
  const idOf = (params: unknown): number => checked(z.object({ id }), params, 'path').id;
  app.get('/users', async (request) => {
    const { limit, ...filter } = checked(userQuery, request.query, 'query');
    return (await store.users({ ...definedOnly(filter), limit })).map(summaryView);
  });
  app.post('/users', async (request, reply) => {
    const body = checked(userEditSchema.extend({ id }), request.body, 'user');
    const version = await operations.addUser(body.id, editOf(body));
    return reply.status(201).send({ id: body.id, version });
  });
  app.get('/users/:id', async (request) => {
    const user = idOf(request.params);
    const held = await store.user(user);
    if (held === undefined) throw new WhorlError('USER_UNKNOWN', `there is no user ${user}`);
    return userView(user, held);
  });
  app.patch('/users/:id', async (request) => {
    const body = checked(userEditSchema.extend({ from: z.int().optional() }), request.body, 'user');
    return { version: await operations.editUser(idOf(request.params), editOf(body), body.from) };
  });
  app.delete('/users/:id', async (request) => {
    await operations.deleteUser(idOf(request.params));
    return {};
  });
  app.post('/users/:id/push', async (request) => {
    const { terminals } = checked(z.strictObject({ terminals: z.array(text).min(1) }), request.body, 'body');
    return { rows: await operations.push([idOf(request.params)], terminals) };
  });
  app.post('/users/:id/pull', async (request) => {
    const { terminal } = checked(z.strictObject({ terminal: text }), request.body, 'body');
    await operations.pull(idOf(request.params), terminal);
    return {};
  });
  app.post('/users/import', async (request) =>
    importUsers(operations, store, checked(importSchema, request.body, 'body')),
  );
  app.get('/users/:id/record', async (request) => {
    const user = idOf(request.params);
    const held = await store.user(user);
    if (held === undefined) throw new WhorlError('USER_UNKNOWN', `there is no user ${user}`);
    return {
      id: user,
      fields: Object.fromEntries(
        [...held.record.fields].map(([number, value]) => [number, Buffer.from(value).toString('base64')]),
      ),
    };
  });
}

function ledgerRoutes(app: FastifyInstance, { operations, store }: ApiParts): void {
  app.get('/ledger', async (request) => {
    const { limit, ...filter } = checked(ledgerQuery, request.query, 'query');
    await knownTerminal(operations, filter.terminal);
    return store.ledger({ ...definedOnly(filter), limit });
  });
  app.post('/ledger/retry', async (request) => {
    const body = checked(
      z.strictObject({ user: id.optional(), terminal: text.optional() }),
      request.body,
      'body',
    );
    return { retried: await operations.retry(definedOnly(body)) };
  });
}

function terminalRoutes(app: FastifyInstance, { operations }: ApiParts): void {
  const nameOf = (params: unknown): string => checked(z.object({ name: text }), params, 'path').name;
  app.post('/terminals/:name/pair', async (request) => {
    const body = checked(z.strictObject({ code: pairingCode }), request.body, 'body');
    return { serial: await operations.pair(nameOf(request.params), body.code) };
  });
  app.post('/terminals/:name/compare', async (request) => {
    const body = checked(z.strictObject({ repair: z.boolean().default(false) }), request.body ?? {}, 'body');
    return operations.compare(nameOf(request.params), body);
  });
  app.post('/terminals/:name/unpair', async (request) => ({
    serial: await operations.unpair(nameOf(request.params)),
  }));
}

/** A misspelt name would be answered with an empty list. @throws WhorlError TERMINAL_UNKNOWN */
async function knownTerminal(operations: Operations, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const { terminals } = await operations.status();
  const names = terminals.map((terminal) => terminal.name);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new WhorlError('TERMINAL_UNKNOWN', `no terminal is called ${name}${hint}`);
}

/** Stored events first, then those that come, a JSON object a line, without gap or double. */
function follow(
  reply: FastifyReply,
  hub: EventHub,
  stored: readonly StoredEvent[],
  wanted: (event: StoredEvent) => boolean,
): FastifyReply {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'application/x-ndjson' });
  let last = stored.at(-1)?.id ?? 0;
  for (const event of stored) raw.write(`${JSON.stringify(event)}\n`);
  const end = hub.subscribe((event) => {
    if (event.id <= last || !wanted(event)) return;
    last = event.id;
    raw.write(`${JSON.stringify(event)}\n`);
  });
  raw.on('close', end);
  raw.flushHeaders();
  return reply;
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the members that are undefined. */
function definedOnly<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
