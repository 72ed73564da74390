import { hash, pbkdf2Sync } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { masterTopic, siteClients, siteTopic } from './broker-names.ts';

/** Brokers that accounts and access rules can be written for. */
export const BROKER_KINDS = ['mosquitto', 'rabbitmq'] as const;
export type BrokerKind = (typeof BROKER_KINDS)[number];

/** Who may do what at a broker. */
export interface BrokerAccount {
  readonly user: string;
  /** In clear; only its hash gets into a file. */
  readonly password: string;
  /** How its client ids begin. */
  readonly clients: string;
  /** Topics, each a filter. */
  readonly writes: readonly string[];
  readonly reads: readonly string[];
}

/** Where the files will be, and what the broker listens with; paths as the broker sees them. */
export interface BrokerFilesPlace {
  readonly directory: string;
  readonly port: number;
  readonly cert: string;
  readonly key: string;
}

export interface BrokerFile {
  readonly name: string;
  readonly text: string;
}

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** The master's account. @param master its name */
export function masterAccount(master: string, { user, password }: Account): BrokerAccount {
  const own = `whorl/${master}/#`;
  const [ups, states] = [siteTopic(master, '+', 'up'), siteTopic(master, '+', 'state')];
  return {
    ...{ user, password, clients: `whorl-${master}-` },
    writes: [own, siteTopic(master, '+', 'down'), masterTopic(master)],
    reads: [own, ups, states],
  };
}

/** A satellite's account: its own topics and no others. */
export function siteAccount(master: string, syncId: number, { user, password }: Account): BrokerAccount {
  return {
    ...{ user, password, clients: siteClients(syncId, password) },
    writes: [siteTopic(master, syncId, 'up'), siteTopic(master, syncId, 'state')],
    reads: [siteTopic(master, syncId, 'down')],
  };
}

/**
 * Files that let these accounts in at a broker and nobody else, each to its topics only. Passwords stand there as hashes.
 * @throws WhorlError REQUEST_INVALID for two accounts with one user name, or what the broker's files cannot hold
 */
export function brokerFiles(
  kind: BrokerKind,
  accounts: readonly BrokerAccount[],
  place: BrokerFilesPlace,
  random: Random,
): readonly BrokerFile[] {
  for (const text of Object.values(place).map(String))
    if (/[\p{Cc}"]/u.test(text)) throw invalid(`a path with ${JSON.stringify(text)}`);
  const seen = new Set<string>();
  for (const { user } of accounts) {
    if (!/^[\w.@-]{1,64}$/.test(user)) throw invalid(`the user name ${JSON.stringify(user)}`);
    if (seen.has(user)) throw invalid(`two accounts with the user name ${user}`);
    seen.add(user);
  }
  return kind === 'mosquitto'
    ? mosquittoFiles(accounts, place, random)
    : rabbitFiles(accounts, place, random);
}

function invalid(what: string): WhorlError {
  return new WhorlError('REQUEST_INVALID', `a broker's files cannot hold ${what}`);
}

function mosquittoFiles(
  accounts: readonly BrokerAccount[],
  { directory, port, cert, key }: BrokerFilesPlace,
  random: Random,
): readonly BrokerFile[] {
  const conf = [
    `listener ${port}`,
    `certfile ${cert}`,
    `keyfile ${key}`,
    'allow_anonymous false',
    `password_file ${directory}/whorl.passwords`,
    `acl_file ${directory}/whorl.acl`,
  ];
  const rules = accounts.flatMap(({ user, writes, reads }) => [
    `user ${user}`,
    ...writes.map((topic) => `topic write ${topic}`),
    ...reads.map((topic) => `topic read ${topic}`),
  ]);
  return [
    { name: 'whorl.conf', text: lines(conf) },
    { name: 'whorl.acl', text: lines(rules) },
    {
      name: 'whorl.passwords',
      text: lines(accounts.map(({ user, password }) => `${user}:${mosquittoHash(password, random)}`)),
    },
  ];
}

const ITERATIONS = 1000;
const MOSQUITTO_SALT_BYTES = 12;

/** PBKDF2 as mosquitto_passwd writes it. The passwords are random 256 bits to whoever has not the sites' own. */
function mosquittoHash(password: string, random: Random): string {
  const salt = Buffer.from(random.bytes(MOSQUITTO_SALT_BYTES));
  const digest = pbkdf2Sync(password, salt, ITERATIONS, 64, 'sha512');
  return `$7$${ITERATIONS}$${salt.toString('base64')}$${digest.toString('base64')}`;
}

function rabbitFiles(
  accounts: readonly BrokerAccount[],
  { directory, port, cert, key }: BrokerFilesPlace,
  random: Random,
): readonly BrokerFile[] {
  const conf = [
    'listeners.tcp = none',
    'mqtt.listeners.tcp = none',
    `mqtt.listeners.ssl.default = ${port}`,
    'mqtt.allow_anonymous = false',
    `ssl_options.certfile = ${cert}`,
    `ssl_options.keyfile = ${key}`,
    `load_definitions = ${directory}/whorl.definitions.json`,
  ];
  const definitions = {
    vhosts: [{ name: '/' }],
    users: accounts.map(({ user, password }) => ({
      ...{ name: user, password_hash: rabbitHash(password, random), tags: [] },
      hashing_algorithm: 'rabbit_password_hashing_sha256',
    })),
    permissions: accounts.map(({ user, clients }) => {
      const queue = `mqtt-subscription-${clients}[\\w-]*qos[01]`;
      const both = `^(amq\\.topic|${queue})$`;
      return { user, vhost: '/', configure: `^${queue}$`, write: both, read: both };
    }),
    topic_permissions: accounts.map(({ user, writes, reads }) => ({
      ...{ user, vhost: '/', exchange: 'amq.topic', write: keysOf(writes), read: keysOf(reads) },
    })),
  };
  return [
    { name: 'rabbitmq.conf', text: lines(conf) },
    { name: 'enabled_plugins', text: lines(['[rabbitmq_mqtt].']) },
    { name: 'whorl.definitions.json', text: lines([JSON.stringify(definitions, null, 2)]) },
  ];
}

/** Topics as RabbitMQ compares them: with dots, `+` as `*`, in one regular expression that must fit from end to end. */
function keysOf(filters: readonly string[]): string {
  const keys = filters.map((filter) =>
    filter.replaceAll('/', '\\.').replaceAll('+', '[^.]+').replace('#', '.*'),
  );
  return `^(${keys.join('|')})$`;
}

const RABBIT_SALT_BYTES = 4;

function rabbitHash(password: string, random: Random): string {
  const salt = Buffer.from(random.bytes(RABBIT_SALT_BYTES));
  const digest = hash('sha256', Buffer.concat([salt, Buffer.from(password)]), 'buffer');
  return Buffer.concat([salt, digest]).toString('base64');
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
