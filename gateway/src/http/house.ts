import { WhorlError } from '@whorl/protocol';

/** What is asked of whoever has lines, terminals, jobs and files: of several processes, one. */
const OF_HOUSE: ReadonlySet<string> = new Set([
  ...['backups.make', 'database.copy', 'vault.rotate', 'vault.status', 'users.erase', 'users.pull'],
  ...['jobs.import', 'jobs.compare', 'jobs.cancel', 'jobs.follow'],
  ...['lines.traffic', 'registers.list', 'registers.write'],
  ...['terminals.pair', 'terminals.unpair', 'terminals.compare'],
  ...['tasks.preview', 'syncs.follow', 'syncs.cancel'],
]);

/**
 * @param elsewhere which process has the house, where it is not this one
 * @throws WhorlError MEMBER_ELSEWHERE
 */
export function askedHere(route: string, elsewhere: (() => string) | undefined): void {
  if (elsewhere === undefined || !OF_HOUSE.has(route)) return;
  throw new WhorlError('MEMBER_ELSEWHERE', `${route} is for the process that has the house: ${elsewhere()}`);
}
