import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyServerFactory } from 'fastify';
import { codeOf, WhorlError } from '@whorl/protocol';
import type { Caller } from '../access/access.ts';
import { attend } from './attend.ts';
import { errorView, statusOf } from './errors.ts';
import { askedHere } from './house.ts';
import { Guard, placeOf } from './guard.ts';
import type { Door } from './guard.ts';
import { OwnAnswer } from './route.ts';
import type { Known, Route, Tools } from './route.ts';
import { ROUTES } from './routes.ts';

/** Content types of answers without end. */
const ENDLESS: ReadonlySet<string> = new Set(['text/event-stream', 'application/x-ndjson']);
/** What a caller who comes too often is told. */
const RETRY_AFTER_S = 5;
const TOO_LARGE = 413;

/** What an API is made of. */
export interface ApiParts extends Omit<Tools, 'guard'> {
  readonly door: Door;
  /** Certificate and key, PEM: then it is spoken to over TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** The gateway's API: what {@link ROUTES} lists; translates to operations and the store's questions, decides nothing. */
export function buildApi(parts: ApiParts): FastifyInstance {
  const { tls } = parts;
  const serverFactory: FastifyServerFactory = (handler) =>
    tls === undefined ? createServer(handler) : createTlsServer({ ...tls, minVersion: 'TLSv1.2' }, handler);
  const refuse = (error: unknown, reply: FastifyReply): void => {
    const known = ofCaller(error) ? refusalOf(error) : error;
    const status = statusOf(known);
    if (status === 500) parts.onFailure(error);
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    if (status === 429) void reply.header('retry-after', String(RETRY_AFTER_S));
    void reply.status(status).send(errorView(known));
  };
  const app = fastify({
    ...{ forceCloseConnections: true, serverFactory },
    // Of requests that come to no route.
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      refuse(error, reply);
    },
    clientErrorHandler: refuseGarbage,
  });
  const tools: Tools = { ...parts, guard: new Guard(parts.door, parts.access, parts.clock) };
  app.setErrorHandler((error: unknown, _request, reply) => {
    refuse(error, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    void reply
      .status(404)
      .send(errorView(new WhorlError('REQUEST_UNKNOWN', `${request.method} ${request.url}`)));
  });
  for (const route of ROUTES) add(app, route, tools, parts.door);
  return app;
}

function add(app: FastifyInstance, route: Route, tools: Tools, door: Door): void {
  const callers = new WeakMap<object, Caller>();
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.mostBytes,
    // Before the body is read: who may not ask is not listened to.
    onRequest: async (request) => {
      const caller = await tools.guard.callerOf(request, route);
      await admit(tools, route, caller, placeOf(door, request));
      askedHere(route.name, tools.elsewhere);
      callers.set(request, caller);
    },
    onResponse: async (_request, reply) => {
      if (ENDLESS.has(String(reply.raw.getHeader('content-type')))) return;
      tools.metrics.answered(route.name, reply.statusCode, reply.elapsedTime);
    },
    handler: async (request, reply) => {
      const caller = callers.get(request);
      if (caller === undefined) throw new WhorlError('AUTH_NEEDED', route.name);
      const answer = await carryOut(route, { request, caller, place: placeOf(door, request) }, tools);
      if (!(answer instanceof OwnAnswer)) return reply.status(route.status).send(answer);
      answer.write(reply);
      attend({ ...tools, raw: reply.raw, caller, role: route.role });
      return reply;
    },
  });
}

/** Who may not is told so, and the audit trail too. @throws WhorlError AUTH_ROLE */
async function admit({ guard, audit }: Tools, route: Route, caller: Caller, place: string): Promise<void> {
  try {
    guard.check(caller, route);
  } catch (error) {
    if (guard.mayComplain(caller))
      await audit.note(
        { who: caller.name, place, deed: route.name, target: route.path },
        codeOf(error) ?? 'AUTH_ROLE',
      );
    throw error;
  }
}

async function carryOut(route: Route, known: Known, tools: Tools): Promise<unknown> {
  const { audited, target, detail, run } = route.prepare(known, tools);
  if (audited === 'no') return run();
  const { caller, place } = known;
  const deed = { who: caller.name, place, deed: route.name, target: await target(), detail };
  if (audited === 'deed') return tools.audit.act(deed, run);
  await tools.audit.note(deed, 'asked');
  return run();
}

function refusalOf(error: Refusal): WhorlError {
  return new WhorlError(error.statusCode === TOO_LARGE ? 'REQUEST_SIZE' : 'REQUEST_INVALID', error.message);
}

/** What came over the socket is no HTTP: there is no request yet to be answered. */
function refuseGarbage(error: Error & { readonly code?: string }, socket: Socket): void {
  if (socket.destroyed || error.code === 'ECONNRESET') return;
  const text = JSON.stringify(errorView(new WhorlError('REQUEST_INVALID', `no HTTP: ${error.message}`)));
  const head = `HTTP/1.1 400 Bad Request\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
  const answer = `${head}Content-Type: application/json\r\nConnection: close\r\n\r\n${text}`;
  // Whoever speaks no HTTP may never hang up.
  if (socket.writable) socket.end(answer, () => socket.destroy());
  else socket.destroy();
}

type Refusal = Error & { readonly statusCode: number };

/** What the server itself finds wrong with a request. */
function ofCaller(error: unknown): error is Refusal {
  return (
    error instanceof Error &&
    !(error instanceof WhorlError) &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  );
}
