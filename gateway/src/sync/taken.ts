import type { AutoSync } from '../settings/runtime.ts';
import { takesUpdates } from './scope.ts';
import type { Site } from './site.ts';

/**
 * Where what people do at terminals is taken, what they did before that is fetched, too, and before anything is sent in its
 * place.
 * @throws WhorlError STORE_*
 */
export async function releaseTaken(site: Site, autoSync: AutoSync): Promise<void> {
  if (!takesUpdates(autoSync)) return;
  await site.store.releasePulls(site.now);
  site.wake();
}
