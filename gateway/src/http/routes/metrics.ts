import { z } from 'zod';
import { OwnAnswer, route } from '../route.ts';

/** Figures for Prometheus. */
export const metricsRoutes = [
  route({
    method: 'GET',
    path: '/metrics',
    name: 'metrics.show',
    role: 'viewer',
    doc: 'Figures of lines, terminals, ledger and database, in Prometheus’ text format; METRICS.md explains each.',
    media: ['text/plain'],
    answer: z.string(),
    handle: async ({ caller }, { operations, sites, store, clock, metrics }) => {
      const text = await metrics.text({
        status: await operations.status(),
        pulls: await store.pullCounts(),
        conflicts: await store.countConflicts(),
        syncs: await store.tasks.syncCounts(),
        registers: operations.registers(),
        sites: await sites.status(caller.name),
        now: clock.wallTime(),
      });
      return new OwnAnswer((reply) => void reply.type(metrics.contentType).send(text));
    },
  }),
];
