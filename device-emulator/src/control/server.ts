import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { codeOf, describe, ERRORS, WhorlError } from '@whorl/protocol';
import type { Fleet } from '../fleet/fleet.ts';
import { ACTIONS } from './actions.ts';

/** The port that `whorl-emulator` uses unless it is told otherwise. */
export const CONTROL_PORT = 7480;

/** Serves a fleet to whoever presses its buttons, on loopback only. @returns the port */
export async function serveControl(
  fleet: Fleet,
  port: number,
): Promise<{ app: FastifyInstance; port: number }> {
  const app = fastify({ bodyLimit: 1 << 20, forceCloseConnections: true });
  app.setErrorHandler((error: unknown, _request, reply) => {
    const code = codeOf(error) ?? 'CONTROL_REQUEST';
    const status =
      code === 'FLEET_UNKNOWN' || code === 'TERMINAL_NO_USER'
        ? 404
        : code === 'CONTROL_REQUEST' || code === 'MESSAGE_RANGE'
          ? 400
          : 409;
    void reply.status(status).send({ code, message: describe(error), remedy: ERRORS[code] });
  });
  app.get('/terminals', () =>
    [...fleet.lines.values()].flatMap((line) =>
      [...line.terminals].map(([name, terminal]) => ({
        name,
        line: line.name,
        place: line.cable.place,
        address: terminal.address,
        serial: terminal.serial,
        power: terminal.power,
        users: terminal.power === 'on' ? terminal.users().size : null,
      })),
    ),
  );
  app.get('/terminals/:name', (request) => show(fleet, nameOf(request.params)));
  app.post('/terminals/:name/:action', async (request) => {
    const { name, action } = request.params as { name: string; action: string };
    const row = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (row === undefined)
      throw new WhorlError(
        'CONTROL_REQUEST',
        `no action is called ${action}; there are ${Object.keys(ACTIONS).join(', ')}`,
      );
    const at = fleet.terminal(name);
    const parsed = row.schema.safeParse(request.body ?? {});
    if (!parsed.success)
      throw new WhorlError(
        'CONTROL_REQUEST',
        parsed.error.issues
          .map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`)
          .join('; '),
      );
    return (await row.run(at, parsed.data as never)) ?? {};
  });
  await app.listen({ host: '127.0.0.1', port });
  const address = app.server.address();
  return { app, port: typeof address === 'object' && address !== null ? address.port : port };
}

function show(fleet: Fleet, name: string): object {
  const { terminal, line } = fleet.terminal(name);
  if (terminal.power !== 'on') return { name, power: terminal.power };
  return {
    name,
    line: line.name,
    place: line.cable.place,
    power: terminal.power,
    serial: terminal.serial,
    model: terminal.model.name,
    boots: terminal.boots,
    table: terminal.tableDigest,
    users: Object.fromEntries(terminal.users()),
    logs: terminal.logs(50),
    counters: terminal.counters,
    lineCounters: line.medium.counters,
  };
}

function nameOf(params: unknown): string {
  return (params as { name: string }).name;
}
