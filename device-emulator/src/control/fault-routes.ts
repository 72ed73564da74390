import { z } from 'zod';
import type { Fault } from '../faults/fault.ts';
import { knownFault } from '../faults/faults.ts';
import { LINE_FAULTS } from '../faults/line-faults.ts';
import { TERMINAL_FAULTS } from '../faults/terminal-faults.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { duration } from '../values/numbers.ts';
import { jsonSchema } from './json-schema.ts';
import { checked, route } from './route.ts';
import type { Route } from './route.ts';

const activeView = z.array(
  z.object({
    fault: z.string(),
    on: z.string().describe('A line or a terminal.'),
    since: z.number().describe('Milliseconds by the emulator’s clock.'),
    until: z.number().optional().describe('Until it is put right when not given.'),
  }),
);

const faultView = z.object({
  name: z.string(),
  doc: z.string().describe('What happens.'),
  field: z.string().describe('What it looks like in the field.'),
  options: z.record(z.string(), z.string()).describe('Help by name of the parameter.'),
  parameters: z.record(z.string(), z.unknown()).describe('The parameters as a JSON schema.'),
  lasts: z.boolean().describe('It goes on until it is put right; else it is over when it has begun.'),
  wire: z.boolean().describe('It needs a line with a baud rate.'),
  noticed: z
    .object({ as: z.string(), withinMs: z.number() })
    .describe('What somebody at the gateway sees of it, and how soon, while the line is used as usual.'),
  wellMs: z.number().describe('So soon after its end all is well again.'),
});

export const activeFaults = z.object({ active: activeView.describe('What is wrong there now.') });

export const healAnswer = activeFaults.extend({ ended: z.int().describe('So many were put right.') });

export const faultsView = z.object({
  active: activeView,
  line: z.array(faultView),
  terminal: z.array(faultView),
});

const place = z.object({ on: z.string().describe('A line or a terminal.') });
const faulty = place.extend({ fault: z.string() });
const lasting = {
  for: duration('how long, such as 10s; until it is put right when not given').optional(),
};
const begun = z.looseObject(lasting);

/** All that can go wrong, each with its parameters as a JSON schema. */
export const CATALOGUE = { line: tellAll(LINE_FAULTS), terminal: tellAll(TERMINAL_FAULTS) };

const heal = {
  method: 'DELETE',
  answer: healAnswer,
} as const;

/** What can go wrong and does. */
export const FAULT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/faults',
    name: 'faults.list',
    doc: 'All that can go wrong with a line or a terminal, and what is wrong at the moment.',
    answer: faultsView,
    handle: (_asked, { fleet }) => ({ active: fleet.faults.active, ...CATALOGUE }),
  }),
  route({
    method: 'POST',
    path: '/faults/:on/:fault',
    name: 'faults.begin',
    doc: 'Make something wrong. The same fault in the same place takes the place of an earlier one; GET /faults has the parameters of each.',
    params: faulty,
    body: begun,
    answer: activeFaults,
    async handle({ params: { on, fault }, body }, { fleet }) {
      const { for: forMs, ...given } = checked(begun, body);
      await fleet.faults.begin(fleet.target(on), { fault, given, forMs });
      return activeOn(fleet, on);
    },
  }),
  route({
    ...heal,
    path: '/faults/:on',
    name: 'faults.heal',
    doc: 'Put right all that is wrong with a line or a terminal.',
    params: place,
    handle: ({ params }, { fleet }) => end(fleet, params.on),
  }),
  route({
    ...heal,
    path: '/faults/:on/:fault',
    name: 'faults.healOne',
    doc: 'Put one fault right.',
    params: faulty,
    handle: ({ params }, { fleet }) => end(fleet, params.on, params.fault),
  }),
];

async function end(fleet: Fleet, on: string, fault?: string): Promise<z.input<typeof healAnswer>> {
  const { terminal } = fleet.target(on);
  if (fault !== undefined) knownFault(terminal === undefined ? 'line' : 'terminal', fault);
  return { ended: await fleet.faults.heal(on, fault), ...activeOn(fleet, on) };
}

function activeOn(fleet: Fleet, on: string): z.input<typeof activeFaults> {
  return { active: fleet.faults.active.filter((one) => one.on === on) };
}

function tellAll(faults: Readonly<Record<string, Fault<never>>>): z.infer<typeof faultView>[] {
  return Object.entries(faults).map(
    ([name, { doc, field, options, lasts, wire, noticed, wellMs, shape }]) => {
      const parameters = jsonSchema(z.strictObject({ ...shape, ...(lasts ? lasting : {}) }), 'input');
      return { name, doc, field, options, parameters, lasts, wire, noticed, wellMs };
    },
  );
}
