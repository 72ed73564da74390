import type { Socket } from 'node:net';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { codeOf, describe, ERRORS, systemClock, WhorlError } from '@whorl/protocol';
import type { Clock, ErrorCode } from '@whorl/protocol';
import { z } from 'zod';
import { Watch } from '../events/watch.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { RequestError } from '../values/given.ts';
import { suggest } from '../values/suggest.ts';
import { lineAction, LINE_ACTIONS, MODULE_ACTIONS, TERMINAL_ACTIONS } from './actions.ts';
import { refuseForeignPages } from './guard.ts';
import { openApi } from './openapi.ts';
import { servePanel } from './panel-routes.ts';
import { checked, placeOf } from './route.ts';
import type { Tools } from './route.ts';
import { ROUTES } from './routes.ts';
import { eventsQuery, eventStream } from './stream.ts';
import { refuseUnknown } from './unknown.ts';
import type { Way } from './unknown.ts';

/** How errors are answered; what is not named here is a conflict with how things stand. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  CONTROL_REQUEST: 400,
  CONTROL_UNKNOWN: 404,
  CONTROL_METHOD: 405,
  MESSAGE_RANGE: 400,
  TERMINAL_CANNOT_HOLD: 400,
  FLEET_UNKNOWN: 404,
  TERMINAL_NO_USER: 404,
  CONTROL_FAILED: 500,
};

const LOOPBACK = '127.0.0.1';
const MOST_BODY = 1 << 20;
const acting = z.object({ name: z.string(), action: z.string() });

/** A control that is served. */
export interface Served {
  /** To put more beside it. */
  readonly app: FastifyInstance;
  readonly port: number;
  /** All that happens. */
  readonly watch: Watch;
}

/**
 * Serves a fleet to whoever presses its buttons: `/openapi.json` tells what can be asked, `/events` what happens. An
 * error is `{ code, message, place, remedy }`; one of 4xx has changed nothing.
 * @param place port 0 for any free one; host 127.0.0.1 unless given: whoever reaches it can do all that it can; a name
 * is what it may be called by, too
 * @param prepare puts more beside it before it listens
 * @throws WhorlError EMULATOR_LISTEN
 */
export async function serveControl(
  fleet: Fleet,
  place: number | { readonly port: number; readonly host?: string | undefined },
  clock: Clock = systemClock,
  prepare: (app: FastifyInstance) => void = () => undefined,
): Promise<Served> {
  const { port, host = LOOPBACK } = typeof place === 'number' ? { port: place } : place;
  const app = fastify({
    ...{ bodyLimit: MOST_BODY, forceCloseConnections: true },
    // Of requests that come to no route.
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      answerError(error, reply);
    },
    clientErrorHandler: refuseGarbage,
  });
  const watch = new Watch(fleet, clock);
  const tools: Tools = { fleet, watch, clock };
  const ways: Way[] = [];
  answerErrors(app, ways);
  readBodies(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('event-id', watch.log.last);
    refuseForeignPages(request, [host.toLowerCase()]);
    // Before the body is read: what is wrong with that is not what is wrong.
    if (request.is404) refuseUnknown(request, reply, ways);
  });
  app.addHook('onClose', async () => {
    watch.stop();
  });
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.otherNames !== true) ways.push({ method, url });
  });
  for (const { method, path, handle } of ROUTES)
    app.route({ method, url: path, handler: (request) => handle(request, tools) });
  app.get('/events', (request, reply) => follow(request, reply, tools));
  const document = openApi(ROUTES);
  app.get('/openapi.json', () => document);
  serveOtherNames(app, tools);
  servePanel(app);
  prepare(app);
  return { app, port: await listen(app, { port, host }), watch };
}

function follow(request: FastifyRequest, reply: FastifyReply, tools: Tools): FastifyReply {
  const { fleet, watch, clock } = tools;
  const query = checked(eventsQuery, request.query);
  // Of a name that nobody has nothing would ever come.
  if (query.line !== undefined) fleet.line(query.line);
  if (query.terminal !== undefined) fleet.terminal(query.terminal);
  const last = request.headers['last-event-id'];
  const after = typeof last === 'string' && /^\d{1,16}$/.test(last) ? Number(last) : query.after;
  const left = new AbortController();
  reply.raw.once('close', () => {
    left.abort();
  });
  const stream = eventStream(watch.log, { query: { ...query, after }, clock, gone: left.signal });
  return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream);
}

/** A line is unplugged by `unplug` as well; and who misspells an action is told what there is. */
function serveOtherNames(app: FastifyInstance, { fleet, clock }: Tools): void {
  const tables = [
    { area: 'terminals', actions: TERMINAL_ACTIONS, find: (name: string) => fleet.terminal(name) },
    { area: 'lines', actions: LINE_ACTIONS, find: (name: string) => fleet.line(name) },
    { area: 'modules', actions: MODULE_ACTIONS, find: (name: string) => fleet.module(name) },
  ];
  for (const { area, actions, find } of tables)
    app.post(`/${area}/:name/:action`, { config: { otherNames: true } }, (request) => {
      const { name, action } = acting.parse(request.params);
      find(name);
      const found = area === 'lines' ? lineAction(action) : undefined;
      if (found !== undefined) return found.act({ line: fleet.line(name), clock }, request.body ?? {});
      const near = suggest(action, Object.keys(actions));
      throw new RequestError('action', `no action is called ${action}; ${near}`, 'CONTROL_UNKNOWN');
    });
}

/** Bodies are JSON objects; one that is empty asks for nothing in particular. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => readBody(body),
  );
}

function readBody(text: string): object {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RequestError('body', `the body is no JSON: ${describe(cause)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new RequestError('body', 'the body is no JSON object, such as {"user":1042}');
}

/** What the HTTP server itself refuses, in words for whoever wrote the request. */
const REFUSED: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body is JSON: say so by the header content-type: application/json',
  FST_ERR_CTP_BODY_TOO_LARGE: `a body has up to ${MOST_BODY} bytes`,
};

function answerErrors(app: FastifyInstance, ways: readonly Way[]): void {
  app.setErrorHandler((error: unknown, _request, reply) => {
    answerError(error, reply);
  });
  app.setNotFoundHandler((request, reply) => refuseUnknown(request, reply, ways));
}

function answerError(given: unknown, reply: FastifyReply): void {
  const refused = refusalOf(given);
  const error = refused === undefined ? given : new RequestError('body', refused);
  const code = codeOf(error) ?? (isClientError(error) ? 'CONTROL_REQUEST' : 'CONTROL_FAILED');
  const message = error instanceof Error ? error.message : describe(error);
  void reply.status(STATUS[code] ?? 409).send({ code, message, place: placeOf(error), remedy: ERRORS[code] });
}

function refuseGarbage(error: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.destroyed || error.code === 'ECONNRESET') return;
  const remedy = ERRORS.CONTROL_REQUEST;
  const text = JSON.stringify({
    code: 'CONTROL_REQUEST',
    message: `no HTTP: ${error.message}`,
    place: '',
    remedy,
  });
  const head = `HTTP/1.1 400 Bad Request\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
  // Whoever speaks no HTTP may never hang up.
  if (socket.writable)
    socket.end(`${head}Content-Type: application/json\r\nConnection: close\r\n\r\n${text}`, () =>
      socket.destroy(),
    );
  else socket.destroy();
}

function refusalOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? REFUSED[error.code]
    : undefined;
}

/** Whether the HTTP server itself refuses. */
function isClientError(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500;
}

async function listen(app: FastifyInstance, place: { port: number; host: string }): Promise<number> {
  try {
    await app.listen(place);
  } catch (cause) {
    throw new WhorlError('EMULATOR_LISTEN', `control port ${place.port}: ${describe(cause)}`, { cause });
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : place.port;
}
