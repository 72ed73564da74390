import { randomBytes } from 'node:crypto';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { codeOf, describe, ERRORS, systemClock, WhorlError } from '@whorl/protocol';
import type { Clock, ErrorCode } from '@whorl/protocol';
import { z } from 'zod';
import type { RunningLine } from '../bus/line.ts';
import { dumpOf } from '../fleet/dump.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { suggest } from '../values/nearest.ts';
import type { Terminal } from '../firmware/terminal.ts';
import type { IoModule } from '../modbus/units.ts';
import { RequestError } from '../values/given.ts';
import { serveFaults } from './fault-routes.ts';
import {
  LINE_ACTIONS,
  lineAction,
  MODULE_ACTIONS,
  moduleAction,
  TERMINAL_ACTIONS,
  terminalAction,
} from './actions.ts';

/** What the newest log records are that `show` tells of, unless asked for more. */
const LOGS_SHOWN = 50;
const SALT_BYTES = 32;

/** How errors are answered; what is not named here is a conflict with how things stand. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  CONTROL_REQUEST: 400,
  MESSAGE_RANGE: 400,
  TERMINAL_CANNOT_HOLD: 400,
  FLEET_UNKNOWN: 404,
  TERMINAL_NO_USER: 404,
  CONTROL_FAILED: 500,
};

const named = z.object({ name: z.string() });
const acting = z.object({ name: z.string(), action: z.string() });
const query = z.strictObject({ logs: z.coerce.number().int().min(0).default(LOGS_SHOWN) });

/**
 * Serves a fleet to whoever presses its buttons, on loopback only:
 *
 * - `GET /lines`, `GET /lines/NAME`, `GET /terminals`, `GET /terminals/NAME?logs=N`, `GET /terminals/NAME/dump`
 * - `POST /terminals/NAME/ACTION` and `POST /lines/NAME/ACTION` with the action's options as JSON
 * - `GET /modules`, `POST /modules/NAME/ACTION`: modules with contacts and relays
 * - `GET /faults`: all that can go wrong, and what is wrong at the moment
 * - `POST /faults/NAME/FAULT` with the fault's options, and `for` how long; `DELETE /faults/NAME` and
 *   `DELETE /faults/NAME/FAULT` put it right; NAME is a line or a terminal
 *
 * An error is `{ code, message, place, remedy }`; one of 4xx has changed nothing.
 * @param port 0 for any free one
 * @returns the port it listens on
 * @throws WhorlError EMULATOR_LISTEN
 */
export async function serveControl(
  fleet: Fleet,
  port: number,
  clock: Clock = systemClock,
): Promise<{ app: FastifyInstance; port: number }> {
  const app = fastify({ bodyLimit: 1 << 20, forceCloseConnections: true });
  refuse(app);
  app.get('/lines', () => [...fleet.lines.values()].map(summaryOfLine));
  app.get('/lines/:name', (request) => summaryOfLine(fleet.line(named.parse(request.params).name)));
  app.get('/terminals', () =>
    [...fleet.lines.values()].flatMap((line) =>
      [...line.terminals].map(([name, terminal]) => summary(name, terminal, line)),
    ),
  );
  app.get('/terminals/:name', (request) => {
    const { name } = named.parse(request.params);
    const { terminal, line } = fleet.terminal(name);
    return { ...summary(name, terminal, line), ...details(terminal, logsAsked(request)) };
  });
  app.get('/terminals/:name/dump', (request) =>
    dumpOf(fleet.terminal(named.parse(request.params).name).terminal, randomBytes(SALT_BYTES)),
  );
  app.post('/terminals/:name/:action', (request) => {
    const { name, action } = acting.parse(request.params);
    const at = { ...fleet.terminal(name), clock };
    return known(action, terminalAction(action), TERMINAL_ACTIONS).act(at, request.body ?? {});
  });
  app.post('/lines/:name/:action', (request) => {
    const { name, action } = acting.parse(request.params);
    const at = { line: fleet.line(name), clock };
    return known(action, lineAction(action), LINE_ACTIONS).act(at, request.body ?? {});
  });
  app.get('/modules', () => [...fleet.modules.values()].map(summaryOfModule));
  app.post('/modules/:name/:action', (request) => {
    const { name, action } = acting.parse(request.params);
    const module = fleet.module(name);
    return known(action, moduleAction(action), MODULE_ACTIONS).act(module, request.body ?? {});
  });
  serveFaults(app, fleet);
  return { app, port: await listen(app, port) };
}

function refuse(app: FastifyInstance): void {
  app.setErrorHandler((error: unknown, _request, reply) => {
    const code = codeOf(error) ?? (isClientError(error) ? 'CONTROL_REQUEST' : 'CONTROL_FAILED');
    const place = error instanceof RequestError ? error.place : '';
    const message = error instanceof Error ? error.message : describe(error);
    void reply.status(STATUS[code] ?? 409).send({ code, message, place, remedy: ERRORS[code] });
  });
  app.setNotFoundHandler(({ method, url }) => {
    throw new RequestError('', `nothing is at ${method} ${url}`);
  });
  // A page in somebody's browser must not reach the terminals by a name that it points at this machine.
  app.addHook('onRequest', async ({ hostname }) => {
    if (!['127.0.0.1', 'localhost'].includes(hostname))
      throw new RequestError('host', `call it 127.0.0.1, not ${hostname}`);
  });
}

/** What the HTTP server itself refuses: a body that is no JSON, or too long. */
function isClientError(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500;
}

function known<Found>(name: string, found: Found | undefined, all: object): Found {
  if (found === undefined)
    throw new RequestError('action', `no action is called ${name}; ${suggest(name, Object.keys(all))}`);
  return found;
}

function logsAsked(request: FastifyRequest): number {
  const parsed = query.safeParse(request.query);
  if (!parsed.success) throw new RequestError('logs', 'logs: a number of records');
  return parsed.data.logs;
}

async function listen(app: FastifyInstance, port: number): Promise<number> {
  try {
    await app.listen({ host: '127.0.0.1', port });
  } catch (cause) {
    throw new WhorlError('EMULATOR_LISTEN', `control port ${port}: ${describe(cause)}`, { cause });
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function summaryOfModule({ name, unit, alive, registers }: IoModule): object {
  return { name, unit, alive, registers };
}

function summaryOfLine(line: RunningLine): object {
  return {
    name: line.name,
    place: line.cable.place,
    wired: line.medium.wired,
    terminals: [...line.terminals.keys()],
    counters: line.medium.counters,
  };
}

function summary(name: string, terminal: Terminal, line: RunningLine): object {
  return {
    name,
    line: line.name,
    place: line.cable.place,
    address: terminal.address,
    serial: terminal.serial,
    model: terminal.model.name,
    power: terminal.power,
    plugged: line.medium.isPlugged(terminal),
    users: terminal.power === 'on' ? terminal.users().size : null,
  };
}

function details(terminal: Terminal, logs: number): object {
  if (terminal.power !== 'on') return { failure: terminal.failure ?? null };
  return {
    boots: terminal.boots,
    clock: new Date(terminal.shown).toISOString(),
    sensors: terminal.sensors,
    epoch: terminal.epoch,
    table: terminal.tableDigest,
    digests: Object.fromEntries(terminal.users()),
    logs: terminal.logs(logs),
    counters: terminal.counters,
    ...(terminal.isPortable ? { display: terminal.display } : {}),
  };
}
