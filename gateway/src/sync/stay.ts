import type { EventType, StoredEvent } from '../events/catalogue.ts';
import type { Provenance, StoredUser } from '../store/store.ts';
import type { Site } from './site.ts';

/** What puts a user there, or changes one who is. */
export const PUT: ReadonlySet<EventType> = new Set(['user.enrol.succeeded', 'user.update.succeeded']);
const STAYS = ['user.enrol.succeeded', 'user.update.succeeded', 'user.delete.succeeded'] as const;
/** Of each of them so many are looked back on. */
const MOST_EVENTS = 50;

/** What tells of a user's coming and going at a terminal: whoever opens its door a hundred times has as many events besides. */
export async function staysAt(
  { store }: Pick<Site, 'store'>,
  terminal: string,
  user: number,
): Promise<readonly StoredEvent[]> {
  const of = (type: EventType): Promise<readonly StoredEvent[]> =>
    store.events({ type, terminal, user, newest: true, limit: MOST_EVENTS });
  const events = await Promise.all(STAYS.map(of));
  return events.flat().sort((a, b) => a.id - b.id);
}

/**
 * The version at which a terminal that nothing of a user was ever sent to was last seen to hold them: people there wrote to
 * the user, and the log in which they did goes on, without a deletion. `undefined` when that is not so: whoever is there may be somebody else.
 * @throws WhorlError STORE_*
 */
export async function lastWrittenAt(
  { store }: Pick<Site, 'store'>,
  terminal: string,
  held: StoredUser,
): Promise<number | undefined> {
  const last = [...held.provenance.values()]
    .filter((by) => by.terminal === terminal && by.log !== undefined)
    .reduce<Provenance | undefined>((one, by) => ((by.since ?? 0) > (one?.since ?? 0) ? by : one), undefined);
  if (last === undefined) return undefined;
  const user = held.record.id;
  const [rows, events] = await Promise.all([store.terminals(), staysAt({ store }, terminal, user)]);
  const now = rows.find(({ name }) => name === terminal);
  const written = events.findLastIndex(
    ({ type, data }) => PUT.has(type) && 'log' in data && data.log === last.log,
  );
  const log = `${now?.serial ?? ''}/${now?.position.epoch ?? 0}/`;
  const isOfLog = events[written]?.source?.startsWith(log) === true;
  const isOver = events.slice(written + 1).some(({ type }) => type === 'user.delete.succeeded');
  return isOfLog && !isOver ? last.since : undefined;
}
