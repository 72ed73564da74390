import process from 'node:process';
import { describe } from '@whorl/protocol';
import type { Log } from '../../settings/log.ts';
import type { Store } from '../store.ts';
import { openStoreThread } from './open.ts';
import type { ThreadOptions } from './open.ts';

/**
 * Opens the store of a gateway in a thread of its own. Should that thread end by itself, the process ends with code 1:
 * without its store a gateway can do nothing, and whoever keeps it running starts it anew. What was acknowledged is
 * stored, what was not is read again from the terminals.
 * @throws WhorlError STORE_*, VAULT_*
 */
export function openServiceStore(
  { data, database, fresh, ground }: Pick<ThreadOptions, 'data' | 'database' | 'fresh' | 'ground'>,
  log: Log,
): Promise<Store> {
  const opening = openStoreThread({
    ...{ data, database, fresh, ground },
    ended: (error) => {
      log.error({ stack: error.stack }, `the gateway ends: ${describe(error)}`);
      process.exit(1);
    },
  });
  // Whoever waits for it learns why it failed, also when they begin to wait only later.
  opening.catch(() => undefined);
  return opening;
}
