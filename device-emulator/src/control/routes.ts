import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { dumpOf, dumpSchema } from '../fleet/dump.ts';
import type { Action } from './action.ts';
import { LINE_ACTIONS, MODULE_ACTIONS, TERMINAL_ACTIONS } from './actions.ts';
import { FAULT_ROUTES } from './fault-routes.ts';
import { route } from './route.ts';
import type { Route, Tools } from './route.ts';
import { truth } from './options.ts';
import { whole } from '../values/numbers.ts';
import {
  detailsView,
  lineView,
  moduleView,
  terminalView,
  viewDetails,
  viewLine,
  viewModule,
  viewTerminal,
} from './views.ts';

/** The newest log records that are told of, unless asked for more. */
const LOGS_SHOWN = 50;
const MOST_LOGS = 1_000_000;
const SALT_BYTES = 32;

const named = z.object({ name: z.string() });

const LOOKING: readonly Route[] = [
  route({
    method: 'GET',
    path: '/lines',
    name: 'lines.list',
    doc: 'All lines.',
    answer: z.array(lineView),
    handle: (_asked, tools) => [...tools.fleet.lines.values()].map((line) => viewLine(line, tools)),
  }),
  route({
    method: 'GET',
    path: '/lines/:name',
    name: 'lines.get',
    doc: 'One line.',
    params: named,
    answer: lineView,
    handle: ({ params }, tools) => viewLine(tools.fleet.line(params.name), tools),
  }),
  route({
    method: 'GET',
    path: '/terminals',
    name: 'terminals.list',
    doc: 'All terminals, with what their displays show.',
    query: z.strictObject({ line: z.string().optional().describe('Only those of this line.') }),
    answer: z.array(terminalView),
    handle({ query }, tools) {
      const { fleet } = tools;
      const lines = query.line === undefined ? [...fleet.lines.values()] : [fleet.line(query.line)];
      return lines.flatMap((line) =>
        [...line.terminals].map(([name, terminal]) => viewTerminal(name, { terminal, line }, tools)),
      );
    },
  }),
  route({
    method: 'GET',
    path: '/terminals/:name',
    name: 'terminals.get',
    doc: 'All about a terminal.',
    params: named,
    query: z.strictObject({
      logs: whole('So many of the newest log records.', 0, MOST_LOGS).default(LOGS_SHOWN),
      digests: truth('With the digest of every user: yes or no.').default(true),
    }),
    answer: detailsView,
    handle({ params, query }, tools) {
      const found = tools.fleet.terminal(params.name);
      return { ...viewTerminal(params.name, found, tools), ...viewDetails(found.terminal, query) };
    },
  }),
  route({
    method: 'GET',
    path: '/terminals/:name/dump',
    name: 'terminals.dump',
    doc: 'What a terminal holds, with pseudonyms, to make another of it in a fleet file.',
    params: named,
    answer: dumpSchema,
    handle: ({ params }, { fleet }) => dumpOf(fleet.terminal(params.name).terminal, randomBytes(SALT_BYTES)),
  }),
  route({
    method: 'GET',
    path: '/modules',
    name: 'modules.list',
    doc: 'Modules with contacts and relays.',
    answer: z.array(moduleView),
    handle: (_asked, { fleet }) => [...fleet.modules.values()].map(viewModule),
  }),
];

interface Area<At> {
  readonly area: 'lines' | 'terminals' | 'modules';
  readonly actions: Readonly<Record<string, Action<At>>>;
  readonly place: (name: string, tools: Tools) => At;
}

function doing<At>({ area, actions, place }: Area<At>): Route[] {
  return Object.entries(actions).map(([name, action]) =>
    route({
      method: 'POST',
      path: `/${area}/:name/${name}`,
      name: `${area}.${name}`,
      doc: `${action.doc.slice(0, 1).toUpperCase()}${action.doc.slice(1)}.`,
      params: named,
      body: z.strictObject(action.shape),
      answer: action.answer,
      handle: ({ params, body }, tools) => action.act(place(params.name, tools), body),
    }),
  );
}

/** All that can be asked of an emulator, but for its events. */
export const ROUTES: readonly Route[] = [
  ...LOOKING,
  ...FAULT_ROUTES,
  ...doing({
    area: 'terminals',
    actions: TERMINAL_ACTIONS,
    place(name, { fleet, watch, clock }) {
      const found = fleet.terminal(name);
      return { ...found, front: watch.front(found.terminal), clock };
    },
  }),
  ...doing({
    area: 'lines',
    actions: LINE_ACTIONS,
    place: (name, { fleet, clock }) => ({ line: fleet.line(name), clock }),
  }),
  ...doing({ area: 'modules', actions: MODULE_ACTIONS, place: (name, { fleet }) => fleet.module(name) }),
];
