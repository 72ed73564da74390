import type { Command } from 'commander';
import { systemClock, WhorlError } from '@whorl/protocol';
import type { AsideView, SitesStatus } from '../../sites/operations.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { askPassword } from '../prompt.ts';
import { table, when } from '../table.ts';
import { addBrokerConfig } from './site-broker.ts';
import { addSiteLockCommands } from './site-lock.ts';
import { addSiteReportCommands } from './site-report.ts';
import { showList, showSites } from './site-status.ts';
import { addSiteSyncCommands } from './site-sync.ts';

/** Commands for master and satellites. */
export function addSiteCommands(program: Command): void {
  const sites = program
    .command('sites')
    .description('master and satellites: many sites with the same users')
    .addHelpText(
      'after',
      `
Examples:
  whorl sites status
  whorl sites add north --id 2 --user north --groups 1,4
  whorl sites reset north
  whorl sites sync`,
    );
  addStatus(sites);
  addAdd(sites);
  addEdit(sites);
  addOne(sites, {
    ...{ name: 'remove', doc: 'remove a satellite from the list; it is let in no more', method: 'DELETE' },
    ...{ path: '', told: 'is removed.' },
  });
  addOne(sites, {
    name: 'reset',
    doc: 'forget which machine a satellite is, its tokens and cursors, so that another machine can take its place',
    ...{ method: 'POST', path: '/reset' },
    told: 'is reset: the next machine that logs in with its password is this site.',
  });
  addAside(sites);
  addBrokerConfig(sites);
  addSiteSyncCommands(sites);
  addSiteLockCommands(sites);
  addSiteReportCommands(sites);
}

function addStatus(sites: Command): void {
  const show = (
    name: string,
    it: { isDefault: boolean; doc: string; text: (status: SitesStatus) => string },
  ): void => {
    sites
      .command(name, { isDefault: it.isDefault })
      .description(it.doc)
      .addHelpText('after', `\nExample:\n  whorl sites ${name}`)
      .action(async (_options, command: Command) => {
        const context = contextOf(command);
        await guarded(context.json, async () => {
          const status = await context.client.get<SitesStatus>('/sites');
          context.print(status, () => it.text(status));
        });
      });
  };
  const now = (): number => systemClock.wallTime();
  show('status', {
    ...{ isDefault: true, doc: 'how the exchange stands, on one screen' },
    text: (status) => showSites(status, now()),
  });
  show('list', {
    ...{ isDefault: false, doc: 'at the master: the satellites, their groups and machines' },
    text: showList,
  });
}

/** `1,4`, or `all`. @throws WhorlError REQUEST_INVALID */
function groupsOf(list: string): number[] | null {
  return list === 'all' ? null : list.split(',').map((one) => wholeNumber(one.trim(), '--groups'));
}

function addAdd(sites: Command): void {
  sites
    .command('add')
    .description('add a satellite to the master’s list; its password is typed, or read from a file')
    .argument('<name>', 'gateway.name of the satellite')
    .requiredOption('--id <number>', 'its sync id, 2 to 64')
    .option('--user <name>', 'that it logs in with; its name unless given')
    .option('--groups <list>', 'access groups that reach it, such as 1,4; all users unless given')
    .option('--url <address>', 'where its own API is', '')
    .option('--password-file <file>', 'where the password stands, instead of typing it')
    .addHelpText(
      'after',
      '\nExample:\n  whorl sites add north --id 2 --groups 1,4 --password-file north.password',
    )
    .action(
      async (
        name: string,
        options: { id: string; user?: string; groups?: string; url: string; passwordFile?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        await guarded(context.json, async () => {
          const groups = options.groups === undefined ? null : groupsOf(options.groups);
          const password = await askPassword(options.passwordFile, 'Password of the site: ', { twice: true });
          const syncId = wholeNumber(options.id, '--id');
          await context.client.send('POST', '/sites', {
            ...{ syncId, name, url: options.url, user: options.user ?? name, password },
            ...(groups === null ? {} : { groups }),
          });
          context.print({ added: name }, () => `${name} is in the list, with sync id ${syncId}.`);
        });
      },
    );
}

function addEdit(sites: Command): void {
  sites
    .command('set')
    .description('change a satellite of the list')
    .argument('<name>')
    .option('--groups <list>', 'access groups that reach it, such as 1,4; all for all users')
    .option('--url <address>', 'where its own API is')
    .option('--password', 'type a new password')
    .option('--password-file <file>', 'where the new password stands')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl sites set north --groups 1,4\n  whorl sites set north --password',
    )
    .action(
      async (
        name: string,
        options: { groups?: string; url?: string; password?: true; passwordFile?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        await guarded(context.json, async () => {
          const { groups, url, passwordFile } = options;
          const asks = options.password === true || passwordFile !== undefined;
          if (groups === undefined && url === undefined && !asks)
            throw new WhorlError('USAGE', 'nothing to change: --groups, --url or --password');
          await context.client.send('PATCH', `/sites/${name}`, {
            ...(groups === undefined ? {} : { groups: groupsOf(groups) }),
            ...(url === undefined ? {} : { url }),
            ...(asks ? { password: await askPassword(passwordFile, 'New password: ', { twice: true }) } : {}),
          });
          context.print({ changed: name }, () => `${name} is changed.`);
        });
      },
    );
}

function addOne(
  sites: Command,
  it: { name: string; doc: string; method: 'DELETE' | 'POST'; path: string; told: string },
): void {
  sites
    .command(it.name)
    .description(it.doc)
    .argument('<name>')
    .addHelpText('after', `\nExample:\n  whorl sites ${it.name} north`)
    .action(async (name: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        await context.client.send(it.method, `/sites/${name}${it.path}`);
        context.print({ [it.name]: name }, () => `${name} ${it.told}`);
      });
    });
}

function addAside(sites: Command): void {
  sites
    .command('aside')
    .description('rows of the exchange that could not be integrated, and why')
    .addHelpText('after', '\nExample:\n  whorl sites aside')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context.json, async () => {
        const rows = await context.client.get<AsideView[]>('/sites/aside');
        context.print(rows, () =>
          table(
            ['FROM', 'USER', 'SINCE', 'TRIES', 'WHY'],
            rows.map(({ peer, user, since, attempts, code, reason }) => [
              ...[String(peer), String(user), when(since), String(attempts)],
              `${code}: ${reason}`,
            ]),
          ),
        );
      });
    });
}
