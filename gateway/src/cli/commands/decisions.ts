import type { Command } from 'commander';
import { nearest, WhorlError } from '@whorl/protocol';
import { MERGE_KEYS, MERGE_POLICIES } from '../../settings/runtime.ts';
import type { RuntimeSettings } from '../../settings/runtime.ts';
import type { MergeRule } from '../../sync/merge-rules.ts';
import { contextOf, guarded } from '../context.ts';
import { table } from '../table.ts';
import { addConflicts } from './conflicts.ts';

/** Commands for what a merge takes, and for deciding what it did not take. */
export function addDecisionCommands(program: Command): void {
  addMergeRules(program);
  addConflicts(program);
}

function addMergeRules(program: Command): void {
  const rules = program
    .command('merge-rules')
    .description('show what a merge does with each field')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const all = await context.client.get<MergeRule[]>('/merge-rules');
        context.print(all, () => showRules(all));
      });
    });
  rules
    .command('set')
    .description('choose what a merge does with a field, or with all slots of a kind')
    .argument('<field>', 'such as name or finger.3; card, finger or face for all slots')
    .argument('<policy>', MERGE_POLICIES.join(', '))
    .addHelpText('after', '\nExample:\n  whorl merge-rules set name terminal-wins')
    .action(async (field: string, policy: string, _options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        known(field, MERGE_KEYS, 'no field is called');
        known(policy, MERGE_POLICIES, 'no policy is called');
        const all = await context.client.send<RuntimeSettings>('PATCH', '/settings', {
          merge: { [field]: policy },
        });
        context.print(all, () => `${field}: ${policy}, from now on.`);
      });
    });
}

function showRules(rules: readonly MergeRule[]): string {
  return table(
    ['FIELD', 'POLICY', 'MEANING'],
    rules.map((rule) => [rule.field, rule.policy, rule.doc]),
  );
}

/** @throws WhorlError REQUEST_INVALID naming the nearest that is */
function known(text: string, names: readonly string[], what: string): void {
  if (names.includes(text)) return;
  const near = nearest(text, names);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new WhorlError('REQUEST_INVALID', `${what} ${text}${hint}`);
}
