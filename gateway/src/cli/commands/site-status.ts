import { counted, ERRORS } from '@whorl/protocol';
import type { SitesStatus, SiteView, Stranger } from '../../sites/operations.ts';
import { apartText } from '../../sites/clocks.ts';
import { ago, span, table, when } from '../table.ts';

/** Narrowest screen that a status is made for. */
const COLUMNS = 80;
const HEAD = 11;
const MOST_NAME = 15;
const MOST_STRANGERS = 2;
const MOST_WAITING = 4;

const REFUSED: ReadonlySet<string> = new Set([
  ...['SITES_CLASH', 'SITES_CLONE', 'SITES_PASSWORD', 'SITES_RATE', 'SITES_UNKNOWN', 'SITES_VERSION'],
]);

type Above = NonNullable<SitesStatus['master']>;
type Trouble = NonNullable<SiteView['trouble']>;

/** The status on one screen of 80 columns. @param now milliseconds UTC */
export function showSites(status: SitesStatus, now: number): string {
  const { role, name, syncId, sites, strangers = [], restored, master, aside, lock } = status;
  if (role === 'standalone') return `${name} is standalone; no other gateway is concerned.`;
  const lines = [
    master === undefined
      ? `${name} is the master.`
      : `${name} is satellite ${syncId ?? ''} of ${master.name}.`,
    ...(master === undefined ? [] : aboveLines(master, now)),
    ...(sites === undefined ? [] : siteLines(sites, now)),
    ...strangerLines(strangers, now),
    ...(restored === undefined ? [] : restoredLines(restored, now)),
  ];
  if (aside > 0) lines.push(...row('Aside', `${apart(aside)}: \`whorl sites aside\` says why`));
  if (lock !== undefined) lines.push(...row('Settings', lockText(lock)));
  return lines.join('\n');
}

/** The same in one line, for the status of the gateway; `undefined` for one without others. */
export function siteLine({
  role,
  syncId,
  sites = [],
  strangers = [],
  master,
  aside,
}: SitesStatus): string | undefined {
  const waiting = aside === 0 ? [] : [apart(aside)];
  if (master !== undefined) {
    const { name, url, online, since, trouble } = master;
    const link = `${online ? 'connected' : 'not connected'}${since === undefined ? '' : ` since ${when(since)}`}`;
    const parts = [
      `satellite ${syncId ?? ''} of ${name} at ${url}`,
      trouble === undefined ? link : `${link} (${trouble.code})`,
      `${counted(master.waiting, 'row')} to go up`,
      ...waiting,
    ];
    return `Sites: ${parts.join(', ')}; \`whorl sites\` tells more`;
  }
  if (role === 'standalone') return undefined;
  const unknown = strangers.length === 0 ? [] : [`${counted(strangers.length, 'unknown site')} knocking`];
  const online = sites.filter((site) => site.online).length;
  const parts = [
    `master of ${counted(sites.length, 'satellite')}`,
    `${online} online`,
    ...unknown,
    ...waiting,
  ];
  return `Sites: ${parts.join(', ')}; \`whorl sites\` tells more`;
}

function apart(rows: number): string {
  return counted(rows, 'row waits apart', 'rows wait apart');
}

/** That the master's database is a backup, and who has not told again yet what was lost. */
function restoredLines(
  { noticed, until, waiting }: NonNullable<SitesStatus['restored']>,
  now: number,
): string[] {
  const some = waiting.slice(0, MOST_WAITING).join(', ');
  const more = waiting.length > MOST_WAITING ? ` and ${waiting.length - MOST_WAITING} more` : '';
  return [
    ...row('Restored', `this database is a backup of ${when(until)}; noticed ${ago(noticed, now)}`),
    ...row(
      '',
      waiting.length === 0
        ? 'all satellites have told again what it had lost; `whorl conflicts` has the rest'
        : `to tell again what it has lost: ${some}${more}`,
    ),
  ];
}

/** Who knocks without being in the list: who, when, from where, and what to do. */
function strangerLines(strangers: readonly Stranger[], now: number): string[] {
  const shown = strangers
    .slice(0, MOST_STRANGERS)
    .flatMap(({ syncId, was, user, from, code, time, tries }) => {
      const who = [
        `sync id ${syncId}`,
        ...(was === undefined ? [] : [`${was} until it was removed`]),
        ...(user === undefined ? [] : [`user ${user}`]),
        ...(from === undefined ? [] : [`from ${from}`]),
      ];
      const add = `whorl sites add NAME --id ${syncId}${user === undefined ? '' : ` --user ${user}`}`;
      return [
        ...row(
          'Refused',
          `${who.join(', ')}: ${code}, ${counted(tries, 'try', 'tries')}, the last ${ago(time, now)}`,
        ),
        ...row('', `\`${add}\` lets it in; else mend \`site\` in the configuration there`),
      ];
    });
  const more = strangers.length - MOST_STRANGERS;
  return more > 0 ? [...shown, ...row('', `and ${more} more: \`whorl events --type site.refused\``)] : shown;
}

function aboveLines(above: Above, now: number): string[] {
  const { online, step, left, leftMs, success, tookMs, next, settings, waiting, complete, trouble, apartMs } =
    above;
  const { intervalMinutes, continuous } = settings;
  const every =
    intervalMinutes === 0
      ? 'paused'
      : `every ${intervalMinutes} min${continuous ? ', and as changes happen' : ''}`;
  const rest = leftMs === undefined ? '' : `, about ${span(leftMs)}`;
  return [
    ...row('Master', `${above.name} ${online ? 'answers' : silence(trouble)}`),
    ...row(
      'Last',
      success === undefined
        ? 'none yet'
        : `${when(success)}, ${ago(success, now)}, took ${span(tookMs ?? 0)}`,
    ),
    ...(step === undefined
      ? []
      : row('Now', `${step}${left === undefined ? '' : `: ${counted(left, 'row')} left${rest}`}`)),
    ...(apartMs === undefined
      ? []
      : row('Clock', `${above.name}’s is ${apartText(apartMs)}: set the wrong one by a time server`)),
    ...row('Next', `${next === undefined ? 'only when asked for' : when(next)}; ${every}`),
    ...row('Waiting', `${counted(waiting, 'change or event', 'changes and events')} to go up`),
    ...row('Complete', complete ? 'yes' : 'not all that belongs here has been here yet'),
    ...(trouble === undefined ? [] : troubleLines('Trouble', trouble)),
  ];
}

/** Whoever is refused need not look for a cable. */
function silence(trouble: Trouble | undefined): string {
  const refused = trouble !== undefined && REFUSED.has(trouble.code);
  return refused ? 'is there, and does not let this site in' : 'does not answer';
}

function siteLines(sites: readonly SiteView[], now: number): string[] {
  if (sites.length === 0) return ['No satellites yet: `whorl sites add`.'];
  return [
    '',
    table(
      ['ID', 'SITE', 'STATE', 'LAST', 'TOOK', 'USERS', 'ASIDE', 'DOORS'],
      sites.map((site) => [
        ...[String(site.syncId), shortened(site.name), site.online ? 'online' : 'offline'],
        ...[ago(site.success, now), site.tookMs === undefined ? '' : span(site.tookMs)],
        site.summary === undefined ? '' : String(site.summary.users),
        site.summary === undefined ? '' : String(site.summary.aside),
        site.summary === undefined ? '' : doors(site.summary.terminals),
      ]),
      COLUMNS,
    ),
    ...sites.flatMap(({ name, trouble, apartMs }) => [
      ...(trouble === undefined ? [] : troubleLines(shortened(name), trouble)),
      ...(apartMs === undefined ? [] : row(shortened(name), `its clock is ${apartText(apartMs)}`)),
    ]),
  ];
}

/** The list itself: who may come, and who has. */
export function showList({ sites = [] }: SitesStatus): string {
  if (sites.length === 0) return 'No satellites.';
  // Only of several processes on one database it is not clear which one speaks with a site.
  const several = sites.some((site) => site.process !== undefined);
  return table(
    ['ID', 'SITE', 'USER', 'GROUPS', 'MACHINE', 'SINCE', ...(several ? ['PROCESS'] : []), 'ADDRESS'],
    sites.map(({ syncId, name, user, groups, bound, process: by = '', url }) => [
      ...[String(syncId), name, user, groups?.join(',') ?? 'all', bound?.host ?? 'none yet'],
      ...[bound === undefined ? '' : when(bound.since).slice(0, 10), ...(several ? [by] : []), url],
    ]),
  );
}

function doors(terminals: NonNullable<SiteView['summary']>['terminals']): string {
  return `${terminals.filter(({ state }) => state === 'online').length}/${terminals.length}`;
}

function troubleLines(head: string, { code, text, time }: Trouble): string[] {
  const remedy = Object.entries(ERRORS).find(([known]) => known === code)?.[1];
  return [...row(head, `${code}: ${text} (${when(time)})`), ...(remedy === undefined ? [] : row('', remedy))];
}

function lockText({ set, open, waitMs }: NonNullable<SitesStatus['lock']>): string {
  if (!set) return 'no code yet, so nobody can change them: `whorl sites lock set-code`';
  const wait = waitMs === undefined ? '' : `; after wrong codes the next one in ${span(waitMs)}`;
  return `${open === undefined ? 'locked' : `open for you until ${when(open)}`}${wait}`;
}

/** A heading and what belongs to it, in lines that fit. */
function row(head: string, text: string): string[] {
  const lines: string[] = [];
  let line = head.padEnd(HEAD);
  for (const word of text.split(' ')) {
    if (line.length > HEAD && line.length + 1 + word.length > COLUMNS) {
      lines.push(line.trimEnd());
      line = ' '.repeat(HEAD);
    }
    line += line.length > HEAD && !line.endsWith(' ') ? ` ${word}` : word;
  }
  return [...lines, line.trimEnd()];
}

function shortened(name: string): string {
  return name.length > MOST_NAME ? `${name.slice(0, MOST_NAME - 1)}…` : name;
}
