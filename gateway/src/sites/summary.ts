import type { SitesGround } from './ground.ts';
import type { Summary } from './requests.ts';

/** How a satellite is, in a few figures. */
export async function summaryOf({ site }: SitesGround, terminals: Summary['terminals']): Promise<Summary> {
  const { store } = site;
  return {
    users: await store.countUsers(),
    conflicts: await store.countConflicts(),
    aside: await store.sites.countAside(),
    terminals,
  };
}
