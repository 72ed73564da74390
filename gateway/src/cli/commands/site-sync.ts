import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { counted, WhorlError } from '@whorl/protocol';
import type { SiteSyncSettings } from '../../settings/sites.ts';
import type { SitesStatus } from '../../sites/operations.ts';
import type { Probe } from '../../sites/probe.ts';
import { contextOf, EXIT, guarded, wholeNumber } from '../context.ts';
import type { Context } from '../context.ts';

/** Commands at a satellite: when it syncs. */
export function addSiteSyncCommands(sites: Command): void {
  addSync(sites);
  addTest(sites);
  addPause(sites);
  addSchedule(sites);
}

function addSync(sites: Command): void {
  sites
    .command('sync')
    .description('at a satellite: exchange with the master now')
    .option('--release', 'also remove the users whom the guard against mass removal has kept here')
    .addHelpText('after', '\nExamples:\n  whorl sites sync\n  whorl sites sync --release')
    .action(async (options: { release?: true }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const body = { release: options.release ?? false };
        const status = await context.client.send<SitesStatus>('POST', '/sites/sync', body);
        context.print(status, () => {
          const ms = status.master?.tookMs;
          return `Done${ms === undefined ? '' : ` in ${(ms / 1000).toFixed(1)} s`}.`;
        });
      });
    });
}

function addTest(sites: Command): void {
  sites
    .command('test-connection')
    .description('look at the connection step by step; needs no code, and disturbs no exchange')
    .argument('[site]', 'at the master: the satellite that is meant')
    .addHelpText(
      'after',
      `
At a satellite: name, port, TLS, login, id, version, clock, round trip, and whether the password file still lets it in.
It can be tried before the first login: no machine is bound by it. At the master: what it can see of a satellite, and whether
it answers. Exit code 1 when a step failed.

Examples:
  whorl sites test-connection
  whorl sites test-connection north`,
    )
    .action(async (site: string | undefined, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const body = site === undefined ? {} : { site };
        const probes = await context.client.send<Probe[]>('POST', '/sites/test-connection', body);
        context.print(probes, () => probes.map(showProbe).join('\n'));
        if (probes.some(({ state }) => state === 'failed')) process.exitCode = EXIT.failed;
      });
    });
}

function showProbe({ step, state, text, code, remedy, ms }: Probe): string {
  const took = ms === undefined || state !== 'ok' ? '' : ` (${ms} ms)`;
  const head = `${state.padEnd(7)}  ${step.padEnd(10)}  `;
  const rest = remedy === undefined ? '' : `\n${' '.repeat(head.length)}${remedy}`;
  return `${head}${code === undefined ? '' : `${code}: `}${text}${took}${rest}`;
}

function addPause(sites: Command): void {
  sites
    .command('pause')
    .description('at a satellite: no exchange by itself until an interval is set again')
    .addHelpText('after', '\nExamples:\n  whorl sites pause\n  whorl sites schedule --minutes 5')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const settings = await context.client.send<SiteSyncSettings>('POST', '/sites/settings', {
          intervalMinutes: 0,
        });
        context.print(settings, () => 'Paused; `whorl sites sync` still exchanges once.');
      });
    });
}

function addSchedule(sites: Command): void {
  sites
    .command('schedule')
    .description('at a satellite: see or change when and how fast it syncs')
    .option('--minutes <number>', 'from one exchange to the next; 0 pauses')
    .option('--continuous <yes|no>', 'whether changes are exchanged as they happen', yesOrNo)
    .option('--quiet <hours>', 'no exchange by itself in these hours, such as 08:00-10:00,22:00-02:00; none')
    .option('--bytes-per-second <number>', 'at most so many; 0 is no limit')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl sites schedule\n  whorl sites schedule --minutes 15 --continuous no --quiet 08:00-10:00',
    )
    .action(
      async (
        options: { minutes?: string; continuous?: boolean; quiet?: string; bytesPerSecond?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        await guarded(context, async () => {
          const { minutes, continuous, quiet, bytesPerSecond } = options;
          const wish = {
            ...(minutes === undefined ? {} : { intervalMinutes: wholeNumber(minutes, '--minutes') }),
            ...(continuous === undefined ? {} : { continuous }),
            ...(quiet === undefined ? {} : { quiet: hoursOf(quiet) }),
            ...(bytesPerSecond === undefined
              ? {}
              : { bytesPerSecond: wholeNumber(bytesPerSecond, '--bytes-per-second') }),
          };
          const settings =
            Object.keys(wish).length === 0
              ? await presentSchedule(context)
              : await context.client.send<SiteSyncSettings>('POST', '/sites/settings', wish);
          context.print(settings, () => showSchedule(settings));
        });
      },
    );
}

/** To look needs no code. @throws WhorlError SITES_ROLE */
async function presentSchedule({ client }: Context): Promise<SiteSyncSettings> {
  const { role, master } = await client.get<SitesStatus>('/sites');
  if (master === undefined) throw new WhorlError('SITES_ROLE', `this gateway is ${role}, not satellite`);
  return master.settings;
}

function showSchedule({ intervalMinutes, continuous, quiet, bytesPerSecond }: SiteSyncSettings): string {
  const hours = quiet.map(({ from, to }) => `${from}-${to}`).join(', ');
  return [
    intervalMinutes === 0
      ? 'Paused.'
      : `Every ${counted(intervalMinutes, 'minute')}${continuous ? ', and as changes happen' : ''}.`,
    `Quiet hours: ${hours === '' ? 'none' : hours}.`,
    bytesPerSecond === 0 ? 'No limit of bandwidth.' : `At most ${counted(bytesPerSecond, 'byte')} a second.`,
  ].join('\n');
}

function hoursOf(list: string): { from: string; to: string }[] {
  if (list === 'none') return [];
  return list.split(',').map((one) => {
    const [from = '', to = ''] = one.trim().split('-');
    return { from, to };
  });
}

function yesOrNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new InvalidArgumentError('yes or no');
}
