import type { Command } from 'commander';
import { systemClock } from '@whorl/protocol';
import type { AsideView, SitesStatus } from '../../sites/operations.ts';
import { needsOpenList } from '../beforehand.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { askPassword } from '../prompt.ts';
import { table, when } from '../table.ts';
import { addBrokerConfig } from './site-broker.ts';
import { addEdit, addRemove, groupsOf } from './site-edit.ts';
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
  whorl sites set north --groups 1 --dry-run
  whorl sites reset north
  whorl sites sync`,
    );
  addStatus(sites);
  addAdd(sites);
  addEdit(sites);
  addRemove(sites);
  addReset(sites);
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
        await guarded(context, async () => {
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

function addAdd(sites: Command): void {
  sites
    .command('add')
    .description('add a satellite to the master’s list; its password is typed, or read from a file')
    .argument('<name>', 'gateway.name of the satellite')
    .requiredOption('--id <number>', 'its sync id, 2 to 64')
    .option('--user <name>', 'that it logs in with; its name unless given')
    .option('--groups <list>', 'access groups that reach it, such as 1,4; all users unless given')
    .option('--address <url>', 'where its own API is', '')
    .option('--password-file <file>', 'where the password stands, instead of typing it')
    .addHelpText(
      'after',
      '\nExample:\n  whorl sites add north --id 2 --groups 1,4 --password-file north.password',
    )
    .action(
      async (
        name: string,
        options: { id: string; user?: string; groups?: string; address: string; passwordFile?: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        await guarded(context, async () => {
          const groups = options.groups === undefined ? null : groupsOf(options.groups);
          const syncId = wholeNumber(options.id, '--id');
          await needsOpenList(context.client);
          const password = await askPassword(options.passwordFile, 'Password of the site: ', { twice: true });
          await context.client.send('POST', '/sites', {
            ...{ syncId, name, url: options.address, user: options.user ?? name, password },
            ...(groups === null ? {} : { groups }),
          });
          context.print({ added: name }, () => `${name} is in the list, with sync id ${syncId}.`);
        });
      },
    );
}

function addReset(sites: Command): void {
  sites
    .command('reset')
    .description(
      'forget which machine a satellite is, its tokens and cursors, so that another machine can take its place',
    )
    .argument('<name>')
    .addHelpText('after', '\nExample:\n  whorl sites reset north')
    .action(async (name: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('POST', `/sites/${encodeURIComponent(name)}/reset`);
        context.print(
          { reset: name },
          () => `${name} is reset: the next machine that logs in with its password is this site.`,
        );
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
      await guarded(context, async () => {
        const rows = await context.client.get<AsideView[]>('/sites/aside');
        context.print(rows, () => {
          if (rows.length === 0) return 'No rows wait apart.';
          return table(
            ['FROM', 'USER', 'SINCE', 'TRIES', 'WHY'],
            rows.map(({ peer, user, since, attempts, code, reason }) => [
              ...[String(peer), String(user), when(since), String(attempts)],
              `${code}: ${reason}`,
            ]),
          );
        });
      });
    });
}
