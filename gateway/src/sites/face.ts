import type { LockView, SitesLock } from './lock.ts';
import type { SitesOperations, SitesStatus } from './operations.ts';

/** What changes settings of the sync. */
export type SitesSettings = Pick<SitesOperations, 'add' | 'edit' | 'remove' | 'reset' | 'changeSettings'>;

/** What people and programs get of the sites: everybody may look and exchange, settings are behind the lock. */
export interface SitesFace extends Pick<
  SitesOperations,
  'sync' | 'testConnection' | 'aside' | 'report' | 'events' | 'brokerFiles' | 'previewEdit' | 'previewRemoval'
> {
  /** @param who name of the account that asks */
  status(who: string): Promise<SitesStatus & { readonly lock?: LockView }>;
  /** @throws WhorlError SITES_LOCKED, SITES_CODE_NONE unless `who` has opened the lock */
  settings(who: string): Promise<SitesSettings>;
  readonly lock: Pick<SitesLock, 'setCode' | 'open' | 'close'>;
}

/** @param hasOthers a gateway without others has nothing to lock */
export function facing(operations: SitesOperations, lock: SitesLock, hasOthers: boolean): SitesFace {
  return {
    sync: (options) => operations.sync(options),
    testConnection: (site) => operations.testConnection(site),
    report: (wish) => operations.report(wish),
    aside: () => operations.aside(),
    events: (filter) => operations.events(filter),
    brokerFiles: (wish) => operations.brokerFiles(wish),
    previewEdit: (name, edit, page) => operations.previewEdit(name, edit, page),
    previewRemoval: (name, page) => operations.previewRemoval(name, page),
    async status(who) {
      const status = await operations.status();
      return hasOthers ? { ...status, lock: await lock.view(who) } : status;
    },
    async settings(who) {
      if (hasOthers) await lock.demand(who);
      return operations;
    },
    lock,
  };
}
