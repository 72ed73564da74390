import type { Command } from 'commander';
import { WhorlError } from '@whorl/protocol';
import type { ErrorView } from '../../http/errors.ts';
import { AnswerError } from '../client.ts';
import { contextOf, guarded, requiredUrl } from '../context.ts';
import type { Context } from '../context.ts';
import { Logins } from '../logins.ts';
import type { Login } from '../logins.ts';
import { askPassword, question } from '../prompt.ts';
import { loginOf, posting, textOf } from '../session.ts';
import { certificateAt, remoteSend } from '../transport.ts';

interface LoginOptions {
  readonly name?: string;
  readonly passwordFile?: string;
  readonly fingerprint?: string;
  readonly codeFile?: string;
}

/** Commands to work with a gateway on another machine. */
export function addLoginCommands(program: Command): void {
  withLogin(program.command('login').description('log in at a gateway on another machine (--url)'))
    .addHelpText('after', '\nExample:\n  whorl login --url https://gateway.example:7410 --name ada')
    .action(async (options: LoginOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const url = requiredUrl(command);
        const fingerprint = await accepted(url, options.fingerprint);
        const login = await logIn(url, fingerprint, {
          name: options.name ?? (await question('Name: ')),
          password: await askPassword(options.passwordFile, 'Password: '),
        });
        tellLogin(context, url, login);
      });
    });
  withLogin(
    program.command('setup').description('make the first admin of a gateway on another machine (--url)'),
  )
    .option('--code-file <file>', 'file with the code that `whorl start` shows there')
    .addHelpText('after', '\nExample:\n  whorl setup --url https://gateway.example:7410')
    .action(async (options: LoginOptions, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const url = requiredUrl(command);
        const fingerprint = await accepted(url, options.fingerprint);
        const code = await codeFrom(options.codeFile);
        const name = options.name ?? (await question('Name of the admin: '));
        const password = await askPassword(options.passwordFile, 'Password: ', { twice: true });
        await post(url, fingerprint, '/setup', { code, name, password });
        tellLogin(context, url, await logIn(url, fingerprint, { name, password }));
      });
    });
  program
    .command('logout')
    .description('end the session at a gateway on another machine (--url)')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const url = requiredUrl(command);
        try {
          await context.client.send('POST', '/logout');
        } finally {
          new Logins().set(url, undefined);
        }
        context.print({ loggedOut: url.origin }, () => `Logged out at ${url.origin}.`);
      });
    });
  program
    .command('whoami')
    .description('show as whom commands are done')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const me = await context.client.get<{ name: string; role: string }>('/me');
        context.print(me, () => `${me.name}, ${me.role}`);
      });
    });
}

function withLogin(command: Command): Command {
  return command
    .option('--name <name>', 'of the account')
    .option('--password-file <file>', 'where the password stands, instead of typing it')
    .option(
      '--fingerprint <sha256>',
      'of the certificate that is accepted, as `whorl status` shows it there',
    );
}

function tellLogin(context: Context, url: URL, { name, role }: Login): void {
  context.print({ name, role }, () => `Logged in at ${url.origin} as ${name}, ${role}.`);
}

async function codeFrom(file: string | undefined): Promise<string> {
  return file === undefined ? question('Code: ') : askPassword(file, '');
}

/**
 * The certificate of a gateway, looked at before anything is said to it; `undefined` where an authority vouches for it,
 * or where none is needed.
 * @throws WhorlError GATEWAY_CERTIFICATE when it is not accepted
 */
async function accepted(url: URL, wanted: string | undefined): Promise<string | undefined> {
  if (url.protocol === 'http:') return undefined;
  const { fingerprint, untrusted } = await certificateAt(url);
  const known = wanted?.toUpperCase() ?? new Logins().get(url)?.fingerprint;
  if (known !== undefined) {
    if (known === fingerprint) return fingerprint;
    throw new WhorlError('GATEWAY_CERTIFICATE', `${url.origin} shows ${fingerprint}, not ${known}`);
  }
  if (untrusted === undefined) return undefined;
  if (!process.stdin.isTTY)
    throw new WhorlError(
      'GATEWAY_CERTIFICATE',
      `${url.origin} shows ${untrusted}: ${fingerprint}; --fingerprint accepts it`,
    );
  const answer = await question(
    `${url.origin} shows ${untrusted}:\n  ${fingerprint}\n` +
      'Is that what `whorl status` shows on its own machine? (yes or no) ',
  );
  if (!/^y(es)?$/i.test(answer))
    throw new WhorlError('GATEWAY_CERTIFICATE', 'the certificate was not accepted');
  return fingerprint;
}

async function logIn(
  url: URL,
  fingerprint: string | undefined,
  who: { readonly name: string; readonly password: string },
): Promise<Login> {
  const login = loginOf(await post(url, fingerprint, '/login', who), fingerprint);
  new Logins().set(url, login);
  return login;
}

async function post(url: URL, fingerprint: string | undefined, path: string, body: object): Promise<unknown> {
  const answer = await remoteSend(url, fingerprint)(posting(path, JSON.stringify(body)));
  const parsed: unknown = JSON.parse(await textOf(answer));
  if ((answer.statusCode ?? 500) >= 400) throw new AnswerError(parsed as ErrorView);
  return parsed;
}
