import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fitted, WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { errorView } from '../http/errors.ts';
import type { ErrorView } from '../http/errors.ts';
import { loadConfig } from '../settings/config.ts';
import { AnswerError, Client } from './client.ts';
import { Logins } from './logins.ts';
import { loggedInSend } from './session.ts';
import { printable } from './printable.ts';
import { gatewayUrl, localSend } from './transport.ts';
import type { Send } from './transport.ts';
import { inWordsOf } from './words.ts';

/** Exit codes, as `whorl --help` lists them. */
export const EXIT = { failed: 1, usage: 2, unreachable: 3, notFound: 4, denied: 5 } as const;

interface GlobalOptions {
  readonly url?: string;
  readonly json?: boolean;
  readonly data?: string;
  readonly config?: string;
}

/** What every command has: options that all share, a way to the gateway, and a way to speak. */
export interface Context {
  readonly json: boolean;
  readonly client: Client;
  readonly command: Command;
  /** Prints for programs with --json, else for people. */
  print(value: unknown, people: () => string): void;
}

export function contextOf(command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const json = options.json === true;
  let client: Client | undefined;
  return {
    json,
    command,
    // Only when it is asked for, inside of what tells errors: an address or a configuration may be wrong.
    get client() {
      client ??= new Client(sendOf(options));
      return client;
    },
    print(value, people) {
      console.log(json ? JSON.stringify(value) : fitted(printable(people()), process.stdout.columns));
    },
  };
}

/** Which gateway is meant: --url, else the one of a data directory of this machine, else WHORL_URL. */
function sendOf(options: GlobalOptions): Send {
  const url = urlOf(options);
  return url === undefined ? localSend(dataOf(options)) : loggedInSend(url, new Logins());
}

function urlOf({ url, data, config }: GlobalOptions): URL | undefined {
  const text = url ?? (data === undefined && config === undefined ? process.env['WHORL_URL'] : undefined);
  return text === undefined ? undefined : gatewayUrl(text);
}

/** The address that a command is about. @throws WhorlError USAGE */
export function requiredUrl(command: Command): URL {
  const url = urlOf(command.optsWithGlobals<GlobalOptions>());
  if (url !== undefined) return url;
  throw new WhorlError('USAGE', 'name the gateway with --url https://ADDRESS:PORT, or in WHORL_URL');
}

/** The data directory that a command works on without a gateway. @throws ConfigError */
export function dataDirectory(command: Command): string {
  return dataOf(command.optsWithGlobals<GlobalOptions>());
}

/** Which gateway of this machine is meant: --data, the data directory of --config, WHORL_DATA, or ./data. */
function dataOf(options: GlobalOptions): string {
  if (options.data !== undefined) return resolve(options.data);
  if (options.config !== undefined) return loadConfig(options.config).data;
  return resolve(process.env['WHORL_DATA'] ?? 'data');
}

/** Runs a command; whatever it throws is told with code, place and remedy, and becomes an exit code. */
export async function guarded(
  { json, command }: Pick<Context, 'json' | 'command'>,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const view = inWordsOf(command, error instanceof AnswerError ? error.view : errorView(error));
    if (view.code === 'INTERNAL' && error instanceof Error) console.error(error.stack);
    tell(view, json);
    process.exitCode = exitCodeOf(view.code);
  }
}

/** Tells an error, for programs or for people. */
export function tell(view: ErrorView, json: boolean): void {
  const text = `${view.code}: ${view.message}\n  ${view.remedy}`;
  console.error(json ? JSON.stringify(view) : fitted(text, process.stderr.columns));
}

/** What the command line's parser complains about. */
export function usageError(text: string): WhorlError {
  return new WhorlError(
    'USAGE',
    text
      .trim()
      .replace(/^error: /, '')
      .replaceAll(/\s*\n\s*/g, ' '),
  );
}

const NOT_FOUND: ReadonlySet<string> = new Set<ErrorCode>([
  'ACCOUNT_UNKNOWN',
  'CONFLICT_UNKNOWN',
  'LINE_UNKNOWN',
  'REQUEST_UNKNOWN',
  'OPERATOR_UNKNOWN',
  'SITES_UNKNOWN',
  'SYNC_UNKNOWN',
  'TASK_FILE_UNKNOWN',
  'TASK_UNKNOWN',
  'TERMINAL_UNKNOWN',
  'TOKEN_UNKNOWN',
  'USER_UNKNOWN',
]);
const BAD_INPUT: ReadonlySet<string> = new Set<ErrorCode>([
  'CAPTURE_FORMAT',
  'FILE_READ',
  'IMPORT_ROW',
  'MESSAGE_RANGE',
  'OPERATOR_PIN',
  'PASSWORD_WEAK',
  'SITES_CODE_WEAK',
  'SITE_UNKNOWN',
  'TASK_FILE_SIZE',
  'REQUEST_INVALID',
  'USAGE',
]);

const DENIED: ReadonlySet<string> = new Set<ErrorCode>([
  'GATEWAY_CERTIFICATE',
  'LOGIN_NEEDED',
  'SITES_CODE',
  'SITES_CODE_RATE',
  'SITES_LOCKED',
]);

function exitCodeOf(code: string): number {
  if (code === 'GATEWAY_UNREACHABLE') return EXIT.unreachable;
  if (code.startsWith('AUTH_') || DENIED.has(code)) return EXIT.denied;
  if (NOT_FOUND.has(code)) return EXIT.notFound;
  const badInput = BAD_INPUT.has(code) || code.startsWith('CONFIG_') || code.startsWith('KEYS_');
  return badInput ? EXIT.usage : EXIT.failed;
}

/** A whole number from the command line. @throws WhorlError REQUEST_INVALID */
export function wholeNumber(text: string, what: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new WhorlError('REQUEST_INVALID', `${what}: ${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}
