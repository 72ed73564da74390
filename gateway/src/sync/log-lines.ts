import type { StoredEvent } from '../events/catalogue.ts';
import type { Log } from '../settings/log.ts';

/** Says what was read of a terminal's log. In a storm it is counted: a line for each would cost more than storing it. */
export function logTaken(log: Log, terminal: string, events: readonly StoredEvent[], isStorm: boolean): void {
  if (isStorm) {
    log.info({ terminal, events: events.length }, `${terminal}: ${events.length} log records in a storm`);
    return;
  }
  for (const event of events) {
    const record = 'log' in event.data ? ` (log #${event.data.log})` : '';
    log.info(
      { terminal, user: event.user, type: event.type, origin: event.origin },
      `${terminal}: ${event.type}${event.user === undefined ? '' : `, user ${event.user}`}, by ${event.origin ?? 'terminal'}${record}`,
    );
  }
}
