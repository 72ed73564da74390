import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, WhorlError } from '@whorl/protocol';
import { Audit } from './access/audit.ts';
import { alone } from './settings/database.ts';
import type { DatabaseConfig } from './settings/database.ts';
import { forgetCode } from './sites/lock.ts';
import { DATABASE, openStore } from './store/open.ts';

/**
 * Takes the code of the sync settings away, for whoever has the machine and has lost it.
 * @param data directory of a gateway that is stopped
 * @returns whether there was one
 * @throws WhorlError STORE_*, VAULT_*; STORE_BUSY while a gateway works on it
 */
export async function forgetSyncCode(data: string, database: DatabaseConfig | undefined): Promise<boolean> {
  const path = join(data, DATABASE);
  if (database === undefined && !existsSync(path)) throw new WhorlError('STORE_MISSING', path);
  const store = openStore({ data, database: database && alone(database) });
  try {
    const audit = new Audit(store.audit, systemClock, (error) => {
      throw error;
    });
    const deed = {
      who: 'machine',
      place: 'this machine',
      deed: 'sites.lock.forget',
      target: 'sync settings',
    };
    return await audit.act(deed, () => forgetCode(store));
  } finally {
    await store.close();
  }
}
