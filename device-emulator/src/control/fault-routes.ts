import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Fault } from '../faults/fault.ts';
import type { ActiveFault } from '../faults/faults.ts';
import { LINE_FAULTS } from '../faults/line-faults.ts';
import { TERMINAL_FAULTS } from '../faults/terminal-faults.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { RequestError } from '../values/given.ts';
import { duration } from '../values/numbers.ts';

const faulty = z.object({ on: z.string(), fault: z.string().optional() });
const begun = z.looseObject({ for: duration('how long; until it is put right when not given').optional() });

/** What can go wrong and does: see {@link serveControl}. */
export function serveFaults(app: FastifyInstance, fleet: Fleet): void {
  app.get('/faults', () => ({ active: fleet.faults.active, ...catalogue }));
  app.post('/faults/:on/:fault', async (request) => {
    const { on, fault = '' } = faulty.parse(request.params);
    const parsed = begun.safeParse(request.body ?? {});
    if (!parsed.success) throw new RequestError('for', 'for: a time is written 16ms, 10s, 5m or 2h');
    const { for: forMs, ...given } = parsed.data;
    await fleet.faults.begin(fleet.target(on), { fault, given, forMs });
    return { active: activeOn(fleet, on) };
  });
  for (const url of ['/faults/:on', '/faults/:on/:fault'])
    app.delete(url, async (request) => {
      const { on, fault } = faulty.parse(request.params);
      fleet.target(on);
      return { ended: await fleet.faults.heal(on, fault), active: activeOn(fleet, on) };
    });
}

function activeOn(fleet: Fleet, on: string): readonly ActiveFault[] {
  return fleet.faults.active.filter((one) => one.on === on);
}

const catalogue = { line: tellAll(LINE_FAULTS), terminal: tellAll(TERMINAL_FAULTS) };

function tellAll(faults: Readonly<Record<string, Fault<never>>>): object[] {
  return Object.entries(faults).map(([name, { doc, field, options, lasts, wire }]) => ({
    name,
    doc,
    field,
    options,
    lasts,
    wire,
  }));
}
