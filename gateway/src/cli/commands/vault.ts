import type { Command } from 'commander';
import type { VaultView } from '../../http/routes/vault.ts';
import type { JobRow } from '../../store/jobs.ts';
import { contextOf, guarded } from '../context.ts';
import { table, when } from '../table.ts';
import { finished } from './jobs.ts';

/** Commands for the master key. */
export function addVaultCommands(program: Command): void {
  const vault = program.command('vault').description('the master key that all data keys are encrypted under');
  vault
    .command('status')
    .description(
      'where the master key comes from, since when, and whether it is being changed; never the key',
    )
    .addHelpText('after', '\nExamples:\n  whorl vault status\n  whorl --json vault status')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const status = await context.client.get<VaultView>('/vault');
        context.print(status, () => showVault(status));
      });
    });
  vault
    .command('rotate')
    .description('change the master key for a new one while the gateway works')
    .option('--data-keys', 'make a new data key for everybody too, and seal their records anew')
    .option('--background', 'do not wait for the end')
    .addHelpText(
      'after',
      `
The gateway makes the new key by itself, where master.key is its own. Where the key comes from a systemd credential or a
variable, give the new one beside it first, as whorl-master-key-next or WHORL_MASTER_KEY_NEXT, and start the gateway again.
Until all is over both keys are needed; killed in between, the gateway goes on when it starts. Afterwards the old key opens
nothing here, nor the backups in directories that could be reached; only copies of those made elsewhere still need it:
\`whorl restore … --master-key FILE\`.

Whoever got hold of data keys, and not of the master key alone, can be shut out with --data-keys only: what is stored from
then on is sealed under keys that they do not have. Where backups were made, the data keys of before are kept for them.

Examples:
  whorl vault rotate
  whorl vault rotate --data-keys
  whorl vault rotate --background && whorl vault status`,
    )
    .action(
      async ({ background, dataKeys }: { background?: boolean; dataKeys?: boolean }, command: Command) => {
        const context = contextOf(command);
        await guarded(context, async () => {
          const job = await context.client.send<JobRow>('POST', '/vault/rotate', { dataKeys });
          const over = background === true ? job : await finished(context, job);
          const status = await context.client.get<VaultView>('/vault');
          context.print({ job: over, vault: status }, () => showRotated(over, status));
        });
      },
    );
}

function showRotated({ id, state }: JobRow, status: VaultView): string {
  if (state !== 'done') return `Job ${id} is ${state}.\n\n${showVault(status)}`;
  const { number, kind, place } = status.master;
  const copy = `Copy it to where you keep a copy of the master key: without it no backup can be restored.`;
  return [
    `Master key number ${number} is in use${kind === 'file' ? `, in ${place}` : ''}. ${copy}`,
    showVault(status),
  ].join('\n\n');
}

function showVault({ master, next, former, todo }: VaultView): string {
  const rows = [master, ...(next === undefined ? [] : [next])].map((one) => [
    ...[String(one.number), one.place, one.since === undefined ? 'the beginning' : when(one.since)],
    one.keys.toLocaleString('en'),
  ]);
  return [
    table(['KEY', 'FROM', 'IN USE SINCE', 'DATA KEYS'], rows),
    ...former.map((file) => `Former key, still kept: ${file}`),
    ...todo,
  ].join('\n');
}
