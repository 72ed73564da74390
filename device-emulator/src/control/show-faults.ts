import { z } from 'zod';
import { written } from '../values/numbers.ts';
import type { activeFaults, faultsView } from './fault-routes.ts';
import { indented, table } from './show.ts';

type ToldFault = z.infer<typeof faultsView>['line'][number];
type Parameter = z.infer<typeof parameterView>;

/** What is wrong at the moment. */
export function showActive(active: z.infer<typeof activeFaults>['active']): string {
  if (active.length === 0) return 'Nothing is wrong.';
  const rows = active.map(({ on, fault, since, until }) => [
    on,
    fault,
    until === undefined ? 'until it is put right' : `for ${((until - since) / 1000).toString()} s in all`,
  ]);
  return `Wrong at the moment\n${indented(table(rows))}`;
}

/** All that can go wrong, what it looks like in the field, and what a gateway makes of it. */
export function showFaults({
  line,
  terminal,
}: Pick<z.infer<typeof faultsView>, 'line' | 'terminal'>): string {
  const told = (faults: readonly ToldFault[]): string => indented(faults.map(showFault).join('\n'));
  return `Faults of a line\n${told(line)}\n\nFaults of a terminal\n${told(terminal)}`;
}

/** Help for one fault. */
export function showFault({
  name,
  doc,
  field,
  options,
  parameters,
  lasts,
  noticed,
  wellMs,
}: ToldFault): string {
  const { properties, required } = parametersView.parse(parameters);
  const rows = Object.entries(options).map(([option, help]) => {
    const one = properties[option] ?? {};
    const values = [takes(one), ...unlessGiven(one, required.includes(option))].filter((text) => text !== '');
    return [`--${option}`, [help, ...(values.length === 0 ? [] : [values.join('; ')])].join(': ')];
  });
  if (lasts) rows.push(['--for', `how long it goes on: ${A_TIME}; until it is put right unless given`]);
  const shows = `At the gateway within ${seconds(noticed.withinMs)}: ${noticed.as}.`;
  const well = `All is well within ${seconds(wellMs)} of its end.`;
  const titled = rows.length === 0 ? '' : `\n${indented(indented(table(rows)))}`;
  return `${name}: ${doc}\n  ${field}\n  ${shows} ${well}${titled}`;
}

const A_TIME = 'a time such as 16ms, 10s, 5m, 2h';

/** Of a JSON schema what is shown. */
const parameterView = z.looseObject({
  anyOf: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  default: z.union([z.number(), z.string()]).optional(),
});

const parametersView = z.looseObject({
  properties: z.record(z.string(), parameterView).default({}),
  required: z.array(z.string()).default([]),
});

/** Only times are taken in two ways, as milliseconds and as `16ms`. */
function isTime({ anyOf }: Parameter): boolean {
  return anyOf !== undefined;
}

function takes(one: Parameter): string {
  if (isTime(one)) return A_TIME;
  return one.minimum === undefined || one.maximum === undefined ? '' : `${one.minimum} to ${one.maximum}`;
}

function unlessGiven(one: Parameter, isRequired: boolean): string[] {
  if (isRequired) return ['has to be given'];
  const { default: unless } = one;
  if (unless === undefined) return [];
  return [`${typeof unless === 'number' && isTime(one) ? written(unless) : String(unless)} unless given`];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toString()} s`;
}
