import { describe } from '@whorl/protocol';
import type { Capabilities } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import type { PullRequest } from '../store/store.ts';
import type { TerminalDriver } from '../terminals/driver.ts';
import { goneUnmerged } from './gone.ts';
import { mergePulled, showMerged } from './pulled.ts';
import { sendAway } from './returned.ts';
import { MOST_ATTEMPTS, nextTryForEver } from './retry.ts';
import { takesUpdates } from './scope.ts';
import type { Site } from './site.ts';
import { troubleOf } from './trouble.ts';

export interface PullContext {
  readonly capabilities: Capabilities;
  readonly signal: AbortSignal;
}

/**
 * Fetches the next user that is to be fetched from a terminal, and merges it. A pull is never given up: the user is at
 * that terminal only.
 * @returns whether there was any
 * @throws WhorlError STORE_*; trouble with the terminal moves the pull to a later try
 */
export async function pullDue(site: Site, driver: TerminalDriver, context: PullContext): Promise<boolean> {
  const [pull] = await site.store.duePulls(driver.name, site.now, 1);
  if (pull === undefined) return false;
  try {
    const unsaved = { terminal: driver.name, users: [pull.user] };
    await site.trouble.saving(unsaved, () => fetchAndMerge(site, driver, pull, context));
  } catch (error) {
    // It stays open as it is.
    if (troubleOf(error) !== undefined) throw error;
    if (!context.signal.aborted) await postpone(site, driver, pull, error);
  }
  return true;
}

async function fetchAndMerge(
  site: Site,
  driver: TerminalDriver,
  pull: PullRequest,
  context: PullContext,
): Promise<void> {
  const { log } = site;
  const { name } = driver;
  const { user } = pull;
  const held = await site.store.user(user);
  const { value, bytes, ms } = await driver.pull(user, held?.record, context.signal, {
    get: () => site.store.partials.get(name),
    put: (bytes) => site.store.partials.put(name, bytes),
  });
  if (value === undefined) {
    await site.store.writeLedger(await goneUnmerged(site, pull));
    await site.store.postponePull({ user, terminal: name, log: pull.log, attempts: pull.attempts }, []);
    log.info({ terminal: name, user }, `${name}: user ${user} is not there any more`);
    return;
  }
  log.info(
    { terminal: name, user, bytes, ms: Math.round(ms) },
    `${name}: pulled user ${user}, ${bytes.toLocaleString('en')} bytes in ${Math.round(ms)} ms`,
  );
  const deleted = await sendAway(site, pull, value);
  if (deleted !== undefined) {
    const when = new Date(deleted.time).toISOString();
    log.info(
      { terminal: name, user },
      `${name}: user ${user} was ${deleted.how} here on ${when} by ${deleted.by}, and is removed there again`,
    );
    return;
  }
  if (await isOnlyLookedAt(site, pull)) {
    await site.store.postponePull({ user, terminal: name, log: pull.log, attempts: pull.attempts }, []);
    return;
  }
  const merged = await mergePulled(site, pull, value, context.capabilities);
  log.info({ terminal: name, user }, `user ${user}: merged from ${name}: ${showMerged(merged)}`);
}

/** While changes at terminals are not taken, a user is fetched only to see whether it is one who was deleted here. */
async function isOnlyLookedAt(site: Site, { user, changed, take }: PullRequest): Promise<boolean> {
  if (takesUpdates(site.settings.autoSync) || changed !== undefined || take !== undefined) return false;
  return (await site.store.tombstones.of([user])).size > 0;
}

async function postpone(
  site: Site,
  driver: TerminalDriver,
  pull: PullRequest,
  error: unknown,
): Promise<void> {
  const { user, terminal } = pull;
  const attempts = pull.attempts + 1;
  const reason = describe(error);
  site.log.warn({ terminal, user, attempts }, `${terminal}: user ${user} could not be pulled: ${reason}`);
  const told = attempts === 1 || attempts === MOST_ATTEMPTS;
  const event: NewEvent = {
    type: 'user.pull.failed',
    time: site.now,
    terminal,
    user,
    data: { reason, attempts },
  };
  const nextTry = driver.identity === undefined ? site.now : nextTryForEver(attempts, site.now);
  site.publish(
    await site.store.postponePull({ user, terminal, log: pull.log, attempts, nextTry }, told ? [event] : []),
  );
}
