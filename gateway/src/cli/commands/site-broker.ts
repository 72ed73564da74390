import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join, resolve } from 'node:path';
import { Argument } from 'commander';
import type { Command } from 'commander';
import { reasonOf, textOf, WhorlError } from '@whorl/protocol';
import { BROKER_KINDS } from '../../sites/broker-accounts.ts';
import type { BrokerFile, BrokerKind } from '../../sites/broker-accounts.ts';
import { contextOf, guarded, wholeNumber } from '../context.ts';
import { readFile, writeFile } from '../files.ts';
import { makeDirectories } from '../../settings/directories.ts';

/** What has to be done with the files, and again after each change of the list. */
const NEXT: Record<BrokerKind, (directory: string) => readonly string[]> = {
  mosquitto: (directory) => [
    `once: include_dir ${directory}   (in mosquitto.conf; the files must belong to the broker’s account)`,
    'after each change of the list: this command again, then   systemctl reload mosquitto',
  ],
  rabbitmq: (directory) => [
    `once: the files to /etc/rabbitmq, as the broker’s account; it starts with them`,
    `after each change of the list: this command again, then   rabbitmqctl import_definitions ${directory}/whorl.definitions.json`,
    'for a site that was removed also:   rabbitmqctl delete_user NAME',
  ],
};

interface Options {
  readonly out: string;
  readonly port: string;
  readonly cert: string;
  readonly key: string;
  readonly elsewhere?: true;
}

/** Accounts and access rules for a broker that is not the master's own. */
export function addBrokerConfig(sites: Command): void {
  sites
    .command('broker-config')
    .description('write accounts and access rules of master and satellites for a broker of yours')
    .addArgument(new Argument('<broker>').choices(BROKER_KINDS))
    .requiredOption('--out <dir>', 'where the files are written, and the broker finds them')
    .requiredOption('--cert <file>', 'PEM file with the broker’s certificate')
    .requiredOption('--key <file>', 'PEM file with its key')
    .option(
      '--elsewhere',
      'the broker is on another machine, where certificate and key are: they are not looked at',
    )
    .option('--port <number>', 'that the broker listens on, with TLS', '8883')
    .addHelpText(
      'after',
      '\nExample:\n  whorl sites broker-config mosquitto --out /etc/mosquitto/whorl \\\n      --cert /etc/mosquitto/hq.crt --key /etc/mosquitto/hq.key',
    )
    .action(async (kind: BrokerKind, { out, port, cert, key, elsewhere }: Options, command: Command) => {
      const context = contextOf(command);
      await guarded(context, async () => {
        const directory = resolve(out);
        const body = { kind, directory, port: wholeNumber(port, '--port') };
        const paths = { cert: resolve(cert), key: resolve(key) };
        if (elsewhere !== true) lookAt(paths);
        const files = await context.client.send<BrokerFile[]>('POST', '/sites/broker-config', {
          ...body,
          ...paths,
        });
        write(directory, files);
        const written = files.map(({ name }) => join(directory, name));
        const next = NEXT[kind](directory);
        context.print({ written, next }, () => [...written, '', ...next].join('\n'));
      });
    });
}

/** That the broker will start with them. @throws WhorlError FILE_READ, MQTT_TLS */
function lookAt({ cert, key }: { readonly cert: string; readonly key: string }): void {
  const [certificate, secret] = [readHere(cert, '--cert'), readHere(key, '--key')];
  const isPair = read(cert, () => new X509Certificate(certificate)).checkPrivateKey(
    read(key, () => createPrivateKey(secret)),
  );
  if (!isPair) throw new WhorlError('MQTT_TLS', `${key} is not the key of ${cert}`);
}

function readHere(path: string, option: string): Buffer {
  try {
    return readFile(path);
  } catch (cause) {
    const text = `${option} ${textOf(cause)}; with --elsewhere it is taken to be on the broker’s machine`;
    throw new WhorlError('FILE_READ', text, { cause });
  }
}

function read<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new WhorlError('MQTT_TLS', `${path} holds none in PEM: ${textOf(cause)}`, { cause });
  }
}

/** @throws WhorlError FILE_WRITE */
function write(directory: string, files: readonly BrokerFile[]): void {
  try {
    makeDirectories(directory);
  } catch (cause) {
    throw new WhorlError('FILE_WRITE', `${directory}: ${reasonOf(cause)}`, { cause });
  }
  for (const { name, text } of files) writeFile(join(directory, name), text);
}
