import { isTooMuch } from '@whorl/gateway/sync/preview';
import { pick } from '../chance.ts';
import type { Run } from './run.ts';

// Something that says by itself how it is to be done.

/** An access group that nobody has. */
const NOBODYS = 99;
/** Exchanges that nobody confirms anything in. */
const UNASKED = 3;

/**
 * A site is to lose nearly everybody, as when somebody mistakes its groups, and has them again.
 * @throws Error when more of them go than the guard lets pass, before somebody at the site releases them
 */
export async function tryGuard({ company, random, trace }: Run): Promise<void> {
  const site = pick(random, company.satellites);
  if (site.plan.hall !== undefined) return;
  const { operations: office } = company.master.now.service;
  const { sites = [] } = await office.status();
  const stood = sites.find(({ name }) => name === site.name)?.groups ?? null;
  const reachedBy = async (groups: number[] | null): Promise<void> => {
    const { confirm } = await office.previewEdit(site.name, { groups }, { limit: 0 });
    await office.edit(site.name, { groups }, { confirm });
  };
  const { guarded } = await office.previewEdit(site.name, { groups: [NOBODYS] }, { limit: 0 });
  if (!guarded) return;
  const { store, gateway, service } = site.now;
  const before = await store.countUsers();
  await company.passing(reachedBy([NOBODYS]));
  for (let times = 0; times < UNASKED; times += 1)
    await company.passing(service.operations.sync({ release: false }));
  const gone = before - (await store.countUsers());
  if (isTooMuch(gone, before, gateway.site.settings))
    throw new Error(`S6 ${gone} of ${before} users are removed at ${site.name}, and nobody was asked`);
  await company.passing(service.operations.sync({ release: true }));
  await company.passing(reachedBy(stood));
  trace.push(`${site.name} loses all whom a group brought there, and has them again`);
}
