import type { Command } from 'commander';
import { WhorlError } from '@whorl/protocol';
import { ROLE_DOCS, ROLES } from '../../settings/roles.ts';
import type { Account, TokenRow } from '../../store/access.ts';
import { needsRole } from '../beforehand.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { askPassword } from '../prompt.ts';
import { table, when } from '../table.ts';

const ROLES_HELP = `\nRoles; each may also do what stands before it:\n${ROLES.map((role) => `  ${role.padEnd(10)} ${ROLE_DOCS[role]}`).join('\n')}`;

/** Commands for accounts, and for tokens of programs. */
export function addAccountCommands(program: Command): void {
  const accounts = program
    .command('accounts')
    .description('who may log in, and what they may do')
    .addHelpText('after', ROLES_HELP);
  addAccounts(accounts);
  addChanges(accounts);
  addTokens(program.command('tokens').description('sessions, and tokens for programs'));
}

function addAccounts(accounts: Command): void {
  accounts
    .command('list')
    .description('list accounts')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<Account[]>('/accounts');
        const rows = list.map(({ name, role, created, changed }) => [
          name,
          role,
          when(created),
          when(changed),
        ]);
        context.print(list, () => table(['NAME', 'ROLE', 'CREATED', 'CHANGED'], rows));
      });
    });
  accounts
    .command('add')
    .description('add an account')
    .argument('<name>')
    .requiredOption('--role <role>', ROLES.join(', '))
    .option('--password-file <file>', 'where the password stands, instead of typing it')
    .addHelpText('after', `\nExample:\n  whorl accounts add ada --role operator\n${ROLES_HELP}`)
    .action(async (name: string, options: { role: string; passwordFile?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        if (!ROLES.some((role) => role === options.role))
          throw new WhorlError('USAGE', `--role ${options.role}: one of ${ROLES.join(', ')}`);
        await needsRole(context.client, 'admin');
        const password = await askPassword(options.passwordFile, 'Password: ', { twice: true });
        await context.client.send('POST', '/accounts', { name, role: options.role, password });
        context.print({ name, role: options.role }, () => `${name} may log in, as ${options.role}.`);
      });
    });
}

function addChanges(accounts: Command): void {
  accounts
    .command('role')
    .description('change what an account may do; whoever is logged in as it has to log in again')
    .argument('<name>')
    .argument('<role>', ROLES.join(', '))
    .action(async (name: string, role: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('PATCH', `/accounts/${encodeURIComponent(name)}`, { role });
        context.print({ name, role }, () => `${name} is ${role} now.`);
      });
    });
  accounts
    .command('password')
    .description('give an account another password; whoever is logged in as it has to log in again')
    .argument('<name>')
    .option('--password-file <file>', 'where the password stands, instead of typing it')
    .action(async (name: string, options: { passwordFile?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await needsRole(context.client, 'admin');
        const password = await askPassword(options.passwordFile, 'New password: ', { twice: true });
        await context.client.send('PATCH', `/accounts/${encodeURIComponent(name)}`, { password });
        context.print({ name }, () => `${name} has another password now.`);
      });
    });
  accounts
    .command('remove')
    .description('remove an account with its sessions and tokens')
    .argument('<name>')
    .action(async (name: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('DELETE', `/accounts/${encodeURIComponent(name)}`);
        context.print({ removed: name }, () => `${name} is removed.`);
      });
    });
}

function addTokens(tokens: Command): void {
  tokens
    .command('list')
    .description('list sessions and tokens, without their secrets')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const list = await context.client.get<TokenRow[]>('/tokens');
        const rows = list.map((one) => [one.id, one.account, one.kind, one.role, when(one.ends), one.label]);
        context.print(list, () => table(['ID', 'ACCOUNT', 'KIND', 'ROLE', 'ENDS', 'FOR OR FROM'], rows));
      });
    });
  tokens
    .command('make')
    .description('make a token for a program; it is shown this once')
    .argument('<account>', 'whose it is: it ends with that account')
    .requiredOption('--for <what>', 'what it is for')
    .requiredOption('--role <role>', 'at most that of the account')
    .option('--days <n>', 'how long it is valid', '90')
    .addHelpText('after', '\nExample:\n  whorl tokens make ada --for prometheus --role viewer --days 365')
    .action(
      async (account: string, options: { for: string; role: string; days: string }, command: Command) => {
        const context = contextOf(command);
        await guarded(context, async () => {
          const body = {
            account,
            label: options.for,
            role: options.role,
            days: wholeNumber(options.days, '--days'),
          };
          const made = await context.client.send<{ id: string; token: string; expires: number }>(
            'POST',
            '/tokens',
            body,
          );
          context.print(
            made,
            () => `${made.token}\nvalid until ${when(made.expires)}; its id is ${made.id}.`,
          );
        });
      },
    );
  tokens
    .command('revoke')
    .description('end a session or a token')
    .argument('<id>')
    .action(async (id: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        await context.client.send('DELETE', `/tokens/${encodeURIComponent(id)}`);
        context.print({ revoked: id }, () => `${id} is valid no more.`);
      });
    });
}
