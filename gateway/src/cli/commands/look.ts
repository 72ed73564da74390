import type { Command } from 'commander';
import { runtimeSettingsSchema } from '../../settings/runtime.ts';
import type { RuntimeSettings } from '../../settings/runtime.ts';
import { counted, nearest, systemClock, WhorlError } from '@whorl/protocol';
import type { StoredEvent } from '../../events/catalogue.ts';
import type { LedgerRow } from '../../store/store.ts';
import type { GatewayStatus } from '../../sync/operations.ts';
import type { Preview } from '../../sync/preview.ts';
import type { DatabaseTrouble, TroubleCode } from '../../sync/trouble.ts';
import type { SitesStatus } from '../../sites/operations.ts';
import type { ApiPlace } from '../../http/place.ts';
import type { Client } from '../client.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { previewPath, showPreview, withPreview } from '../preview.ts';
import type { PreviewOptions } from '../preview.ts';
import { ago, table, when } from '../table.ts';
import { siteLine } from './site-status.ts';

type Status = GatewayStatus & { readonly api?: ApiPlace };

/** Commands that show how things are, and settings. */
export function addLookCommands(program: Command): void {
  addStatus(program);
  addLedger(program);
  addEvents(program);
  addSettings(program);
  program
    .command('ports')
    .description('list the serial ports of this machine')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        // Loaded only here: the other commands start sooner without it.
        const { listPorts } = await import('../ports.ts');
        const ports = await listPorts();
        context.print(ports, () =>
          ports.length === 0
            ? 'No serial port here. Is the adapter plugged in?'
            : table(
                ['PORT', 'MAKER', 'SERIAL'],
                ports.map((port) => [port.path, port.manufacturer ?? '–', port.serialNumber ?? '–']),
              ),
        );
      });
    });
}

function addStatus(program: Command): void {
  program
    .command('status')
    .description('show lines, terminals, rates and queues')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const status = await context.client.get<Status>('/status');
        const sites = await context.client.get<SitesStatus>('/sites');
        context.print(sites.role === 'standalone' ? status : { ...status, sites }, () =>
          showStatus(status, siteLine(sites)),
        );
      });
    });
}

/** Where the API is, for people. */
export function showApi({ url, fingerprint }: ApiPlace): string {
  return `API at ${url}${fingerprint === undefined ? '' : `, certificate SHA-256 ${fingerprint}`}`;
}

const TROUBLES: Readonly<Record<TroubleCode, string>> = {
  STORE_BUSY: 'locked by another program',
  STORE_FULL: 'disk full',
  STORE_READONLY: 'read-only',
  STORE_IO: 'the disk fails',
  STORE_CORRUPT: 'damaged',
  STORE_REFUSED: 'the server refuses',
  STORE_UNREACHABLE: 'the server does not answer',
};

/** In one line; the remedy stands with the code. */
export function showTrouble({ code, reason, since, waiting }: DatabaseTrouble): string {
  const users = counted(waiting, 'user waits at a terminal', 'users wait at terminals');
  return `Database: cannot write since ${when(since)}: ${TROUBLES[code]}${waiting === 0 ? '' : `, ${users}`} (${code}: ${reason})`;
}

function showStatus(status: Status, sites: string | undefined): string {
  const now = systemClock.wallTime();
  const lines = status.lines.map((line) => [
    line.name,
    line.state,
    line.duty === undefined ? '–' : `${Math.round(100 * line.duty)} %`,
    line.roundTripMs === undefined ? '–' : `${line.roundTripMs.toFixed(1)} ms`,
    String(line.counters.framesBad),
    String(line.counters.retries),
    String(line.counters.timeouts),
    String(line.waiting),
    line.reason ?? line.over,
  ]);
  const terminals = status.terminals.map((terminal) => [
    terminal.name,
    terminal.line,
    terminal.state,
    String(terminal.ledger.verified),
    String(terminal.ledger.pending + terminal.ledger.sending),
    String(terminal.ledger.failed),
    String(terminal.ledger.withheld),
    ago(terminal.lastSeen, now),
    terminal.reason ??
      `${terminal.model ?? ''} ${terminal.serial ?? ''}${terminal.unknown === undefined ? '' : `, unknown what it holds: ${terminal.unknown}; being compared`}`,
  ]);
  return [
    `${status.gateway}: ${counted(status.users, 'user')}, ${counted(status.openPulls, 'pull')} open, ${counted(status.openConflicts, 'conflict')} open, autoSync ${status.settings.autoSync}`,
    ...(status.database === undefined ? [] : [showTrouble(status.database)]),
    ...(status.api === undefined ? [] : [showApi(status.api)]),
    ...(sites === undefined ? [] : [sites]),
    '',
    table(['LINE', 'STATE', 'DUTY', 'ROUND TRIP', 'BAD', 'RETRIES', 'TIMEOUTS', 'WAITING', 'OVER'], lines),
    '',
    table(
      ['TERMINAL', 'LINE', 'STATE', 'VERIFIED', 'PENDING', 'FAILED', 'WITHHELD', 'SEEN', 'IS'],
      terminals,
    ),
  ].join('\n');
}

function addLedger(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('show which user is where, or why not')
    .option('--user <id>', 'only this user')
    .option('--terminal <name>', 'only this terminal')
    .option('--state <state>', 'only rows that are pending, sending, verified, failed or withheld')
    .action(async (options: { user?: string; terminal?: string; state?: string }, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const rows = await context.client.get<LedgerRow[]>('/ledger', options);
        const elsewhere = context.json ? '' : await elsewhereOf(context.client);
        context.print(rows, () => `${showLedger(rows)}${elsewhere}`);
      });
    });
  ledger
    .command('retry')
    .description('try failed rows again')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      const { user, terminal } = command.optsWithGlobals<{ user?: string; terminal?: string }>();
      await guarded(context, async () => {
        const answer = await context.client.send<{ retried: number }>('POST', '/ledger/retry', {
          ...(user === undefined ? {} : { user: wholeNumber(user, '--user') }),
          ...(terminal === undefined ? {} : { terminal }),
        });
        context.print(answer, () => `${counted(answer.retried, 'row is', 'rows are')} tried again.`);
      });
    });
}

/** A master's own ledger has nothing of the terminals of its satellites. */
async function elsewhereOf(client: Client): Promise<string> {
  const { sites = [] } = await client.get<SitesStatus>('/sites');
  if (sites.length === 0) return '';
  return '\n\nThese are terminals of this gateway; those of its satellites: `whorl sites report holdings`';
}

function showLedger(rows: readonly LedgerRow[]): string {
  if (rows.length === 0) return 'No such rows.';
  return table(
    ['USER', 'TERMINAL', 'WANT', 'STATE', 'VERSION', 'TRIES', 'CHECKED', 'REASON'],
    rows.map((row) => [
      String(row.user),
      row.terminal,
      row.want,
      row.state,
      String(row.version),
      String(row.attempts),
      row.checked === undefined ? '–' : when(row.checked),
      `${row.reason ?? ''}${row.nextTry === undefined || row.state !== 'failed' ? '' : `, next try ${when(row.nextTry)}`}`,
    ]),
  );
}

function addEvents(program: Command): void {
  program
    .command('events')
    .description('show what happened')
    .option('--follow', 'go on showing what happens, until Ctrl-C')
    .option('--type <type>', 'only events of this type')
    .option('--terminal <name>', 'only of this terminal')
    .option('--user <id>', 'only of this user')
    .option('--last <n>', 'the newest so many', '20')
    .addHelpText(
      'after',
      '\nExamples:\n  whorl events --last 50\n  whorl events --follow --type user.enrol.succeeded',
    )
    .action(
      async (
        options: { follow?: boolean; type?: string; terminal?: string; user?: string; last: string },
        command: Command,
      ) => {
        const context = contextOf(command);
        const show = (event: StoredEvent): void => {
          context.print(event, () => showEvent(event));
        };
        await guarded(context, async () => {
          if (options.follow !== true) {
            for (const event of await context.client.get<StoredEvent[]>('/events', { ...options }))
              show(event);
            return;
          }
          const stop = new AbortController();
          process.once('SIGINT', () => process.exit(0));
          await context.client.follow(
            '/events',
            { ...options, follow: true },
            (line) => show(JSON.parse(line) as StoredEvent),
            stop.signal,
          );
        });
      },
    );
}

function showEvent(event: StoredEvent): string {
  const about = [
    event.line,
    event.terminal,
    event.user === undefined ? undefined : `user ${event.user}`,
    event.origin === undefined ? undefined : `by ${event.origin}`,
  ];
  const data = Object.entries(event.data).map(
    ([key, value]) => `${key} ${key === 'at' ? when(Number(value)) : shown(value)}`,
  );
  return `${when(event.time)}  #${event.id}  ${event.type}  ${[...about.filter((one) => one !== undefined), ...data].join(', ')}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function addSettings(program: Command): void {
  const settings = program
    .command('settings')
    .description('see and change what can be changed while the gateway runs');
  settings
    .command('get')
    .description('show all')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const all = await context.client.get<RuntimeSettings>('/settings');
        context.print(all, () =>
          table(
            ['SETTING', 'VALUE'],
            Object.entries(all).map(([key, value]) => [key, shown(value)]),
          ),
        );
      });
    });
  addSet(settings);
}

function addSet(settings: Command): void {
  withPreview(settings.command('set').description('change one').argument('<name>').argument('<value>'))
    .addHelpText(
      'after',
      '\nExamples:\n  whorl settings set autoSync access-groups --dry-run\n  whorl settings set restoreDeleted true\n  whorl settings set guardPercent 20',
    )
    .action(async (name: string, value: string, options: PreviewOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const known = Object.keys(runtimeSettingsSchema.shape);
        if (!known.includes(name))
          throw new WhorlError(
            'REQUEST_INVALID',
            `no setting is called ${name}; did you mean ${nearest(name, known) ?? known.join(' or ')}?`,
          );
        const path = previewPath('/settings', options);
        const body = { [name]: settingValue(value) };
        if (options.dryRun === true) {
          const preview = await context.client.send<Preview>('PATCH', path, body);
          context.print(preview, () => showPreview(preview));
          return;
        }
        const all = await context.client.send<RuntimeSettings>('PATCH', path, body);
        context.print(all, () => `${name} is ${shown(all[name as keyof RuntimeSettings])} now.`);
      });
    });
}

function settingValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}
