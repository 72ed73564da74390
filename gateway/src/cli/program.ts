import { fitted } from '@whorl/protocol';
import { Command } from 'commander';
import { addAccountCommands } from './commands/accounts.ts';
import { addApiCommands } from './commands/api.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addCompare } from './commands/compare.ts';
import { addDatabaseCommands } from './commands/database.ts';
import { addDecisionCommands } from './commands/decisions.ts';
import { addDecodeCommand } from './commands/decode.ts';
import { addJobCommands } from './commands/jobs.ts';
import { addLoginCommands } from './commands/login.ts';
import { addLookCommands } from './commands/look.ts';
import { addMqttCommands } from './commands/mqtt.ts';
import { addRegisterCommands } from './commands/registers.ts';
import { addSniffCommand } from './commands/sniff.ts';
import { addSiteCommands } from './commands/sites.ts';
import { addScopeCommands } from './commands/scope.ts';
import { addStartCommands } from './commands/start.ts';
import { addTaskCommands } from './commands/tasks.ts';
import { addOperatorCommands } from './commands/operators.ts';
import { addTerminalCommands } from './commands/terminals.ts';
import { addUserCommands } from './commands/users.ts';
import { addVaultCommands } from './commands/vault.ts';
import { errorView } from '../http/errors.ts';
import { VERSION } from '../settings/version.ts';
import { EXIT, tell, usageError } from './context.ts';

const HELP = `
Examples:
  whorl start --config whorl.yaml
  whorl status
  whorl ledger --user 1042
  whorl events --follow
  whorl login --url https://gateway.example:7410

Exit codes:
  0 done   ${EXIT.failed} failed   ${EXIT.usage} bad input   ${EXIT.unreachable} no gateway answers   ${EXIT.notFound} no such user, terminal or line   ${EXIT.denied} not allowed`;

/** The command line of the gateway: all commands, each of which does its work when it is parsed. */
export function makeProgram(): Command {
  const program = new Command('whorl')
    .description('The gateway between biometric terminals: start it, see how it is, work with users.')
    .version(VERSION)
    .option('--json', 'print JSON for programs')
    .option('--data <dir>', 'data directory of the gateway that is meant (else WHORL_DATA, else ./data)')
    .option('--url <address>', 'a gateway on another machine, after `whorl login` there (else WHORL_URL)')
    .option('--config <file>', 'configuration file of the gateway that is meant')
    .addHelpText('after', HELP)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => {
        process.stdout.write(fitted(text, process.stdout.columns));
      },
      outputError: (text) => {
        tell(errorView(usageError(text)), process.argv.includes('--json'));
      },
    })
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
    });
  addStartCommands(program);
  addLookCommands(program);
  addUserCommands(program);
  addDecisionCommands(program);
  addScopeCommands(program);
  addSiteCommands(program);
  addTerminalCommands(program);
  addTaskCommands(program);
  addOperatorCommands(program);
  addRegisterCommands(program);
  addCompare(program);
  addJobCommands(program);
  addLoginCommands(program);
  addAccountCommands(program);
  addAuditCommands(program);
  addBackupCommands(program);
  addDatabaseCommands(program);
  addVaultCommands(program);
  addApiCommands(program);
  addMqttCommands(program);
  addDecodeCommand(program);
  addSniffCommand(program);
  return program;
}
