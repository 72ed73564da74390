import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { nearest, reasonOf, WhorlError, wording } from '@whorl/protocol';
import { isAlias, LineCounter, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { resolveBackup } from './backup.ts';
import type { BackupPlan } from './backup.ts';
import { resolveDatabase } from './database.ts';
import type { DatabaseConfig } from './database.ts';
import { resolveHttp } from './http.ts';
import type { HttpConfig } from './http.ts';
import { modbusClashes, resolveModbus } from './modbus.ts';
import { mqttClash, resolveMqtt } from './mqtt.ts';
import type { MqttConfig } from './mqtt.ts';
import { configSchema } from './schema.ts';
import { resolveSerial } from './serial-path.ts';
import type { ConfigFile } from './schema.ts';
import { resolveSites, sitesClash } from './sites.ts';
import type { SitesConfig } from './sites.ts';
import type { LineConfig, LineOver, SiteConfig } from './site.ts';

/** A configuration, read and checked. */
export interface Config {
  readonly site: SiteConfig;
  /** Absolute path of the data directory. */
  readonly data: string;
  /** A server that keeps the tables; in a file of `data` when absent. */
  readonly database?: DatabaseConfig;
  readonly http: HttpConfig;
  readonly mqtt: MqttConfig;
  /** Master and satellites; standalone when absent. */
  readonly sites?: SitesConfig | undefined;
  /** Backups that it makes by itself; none when absent. */
  readonly backup?: BackupPlan | undefined;
  readonly logLevel: ConfigFile['log']['level'];
}

/** One thing that is wrong with a file. */
export interface Problem {
  readonly code:
    'CONFIG_READ' | 'CONFIG_SYNTAX' | 'CONFIG_KEY' | 'CONFIG_VALUE' | 'CONFIG_CLASH' | 'CONFIG_FILE';
  /** `file:line key.path` */
  readonly place: string;
  readonly text: string;
}

/** Raised for a file that cannot be used; lists everything that is wrong with it. */
export class ConfigError extends WhorlError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems[0]?.code ?? 'CONFIG_READ', problems.map((one) => `${one.place}: ${one.text}`).join('\n'));
    this.problems = problems;
  }
}

const MOST_BYTES = 1 << 20;

/** Reads and checks a configuration file. @throws ConfigError */
export function loadConfig(path: string): Config {
  const file = resolve(path);
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, merge: false });
  const place = (keys: readonly PropertyKey[]): string => showPlace(path, document, lines, keys);
  const [syntax] = document.errors;
  if (syntax !== undefined)
    throw new ConfigError([
      {
        code: 'CONFIG_SYNTAX',
        place: `${path}:${syntax.linePos?.[0].line ?? 1}`,
        text: syntax.message.split('\n')[0] ?? 'not YAML',
      },
    ]);
  refuseAliases(document, path);
  const value: unknown = document.toJS();
  const parsed = configSchema.safeParse(value);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.flatMap((issue) => problemsOf(issue, value, place)));
  const clashes = clashesIn(parsed.data, place);
  if (clashes.length > 0) throw new ConfigError(clashes);
  return configOf(parsed.data, dirname(file));
}

function readText(file: string): string {
  try {
    if (statSync(file).size > MOST_BYTES) throw new Error('larger than any configuration');
    const text = readFileSync(file, 'utf8');
    if (text.includes('\0')) throw new Error('not a text file');
    if (text.trim() === '') throw new Error('it is empty; begin with a copy of gateway/whorl.example.yaml');
    return text;
  } catch (cause) {
    throw new ConfigError([{ code: 'CONFIG_READ', place: file, text: reasonOf(cause) }]);
  }
}

/** A few lines of aliases of aliases can unfold to gigabytes, and no configuration needs them. */
function refuseAliases(document: Document, path: string): void {
  visit(document, {
    Node(_, node) {
      if (isAlias(node))
        throw new ConfigError([
          { code: 'CONFIG_SYNTAX', place: path, text: 'aliases (*) are not taken here; write the value out' },
        ]);
    },
  });
}

function problemsOf(
  issue: z.core.$ZodIssue,
  value: unknown,
  place: (keys: readonly PropertyKey[]) => string,
): Problem[] {
  if (issue.code !== 'unrecognized_keys')
    return [{ code: 'CONFIG_VALUE', place: place(issue.path), text: wording(issue, value) }];
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
    return { code: 'CONFIG_KEY', place: place([...issue.path, key]), text: `unknown key ${key}; ${hint}` };
  });
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** Keys that the schema has at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: JsonSchema | undefined = configSchema.toJSONSchema({ io: 'input' }) as JsonSchema;
  for (const key of path)
    schema = typeof key === 'number' ? schema?.items : schema?.properties?.[String(key)];
  return Object.keys(schema?.properties ?? {});
}

function showPlace(
  path: string,
  document: Document,
  lines: LineCounter,
  keys: readonly PropertyKey[],
): string {
  let line: number | undefined;
  for (let length = keys.length; length >= 0 && line === undefined; length -= 1) {
    const node = document.getIn(keys.slice(0, length), true);
    const range =
      typeof node === 'object' && node !== null && 'range' in node
        ? (node.range as [number] | undefined)
        : undefined;
    if (range !== undefined) line = lines.linePos(range[0]).line;
  }
  return `${path}:${line ?? 1}${keys.length === 0 ? '' : ` ${keys.map(String).join('.')}`}`;
}

/** What a schema cannot say: names and addresses given twice, terminals that dial where nobody listens. */
function clashesIn(file: ConfigFile, place: (keys: readonly PropertyKey[]) => string): Problem[] {
  const problems: Problem[] = [];
  const clash = (keys: readonly PropertyKey[], text: string): void => {
    problems.push({ code: 'CONFIG_CLASH', place: place(keys), text });
  };
  const lines = new Set<string>();
  const terminals = new Set<string>();
  for (const [i, line] of file.lines.entries()) {
    if (lines.has(line.name)) clash(['lines', i, 'name'], `another line is called ${line.name}`);
    lines.add(line.name);
    if (line.dialIn !== undefined && file.listen === undefined)
      clash(['lines', i, 'dialIn'], 'terminals can dial in only when `listen` says where');
    const addresses = new Set<number>();
    for (const [j, { name, address }] of line.terminals.entries()) {
      const at = ['lines', i, 'terminals', j];
      if (terminals.has(name)) clash([...at, 'name'], `another terminal is called ${name}`);
      if (addresses.has(address))
        clash([...at, 'address'], `another terminal of this line has address ${address}`);
      terminals.add(name);
      addresses.add(address);
    }
  }
  for (const { keys, text } of modbusClashes(file.modbus, file.lines)) clash(keys, text);
  const mqtt = mqttClash(file.mqtt);
  if (mqtt !== undefined) clash(['mqtt', ...mqtt.keys], mqtt.text);
  const sites = sitesClash(file.site, file.gateway.name, file.mqtt);
  if (sites !== undefined) clash(['site', ...sites.keys], sites.text);
  const member = memberClash(file);
  if (member !== undefined) clash(['database', 'member'], member);
  return problems;
}

/** What several processes on one database cannot do. */
function memberClash({ database, site, mqtt }: ConfigFile): string | undefined {
  if (database?.member === undefined) return undefined;
  if (site.role === 'satellite')
    return 'several processes may share the database of a master, not of a satellite';
  if (mqtt.enabled && mqtt.external === undefined)
    return 'several processes meet at a broker of yours: name it as `mqtt.external`';
  return undefined;
}

function configOf(file: ConfigFile, directory: string): Config {
  const lines: LineConfig[] = file.lines.map(({ name, terminals, ...ways }) => ({
    name,
    terminals,
    over: overOf(ways, directory),
  }));
  return {
    site: {
      name: file.gateway.name,
      listen: file.listen,
      lines,
      modbus: resolveModbus(file.modbus, directory),
    },
    data: resolve(directory, file.data),
    ...(file.database === undefined ? {} : { database: resolveDatabase(file.database, directory) }),
    http: resolveHttp(file.http, directory),
    mqtt: resolveMqtt(file.mqtt, directory),
    sites: resolveSites(file.site, directory),
    backup: resolveBackup(file.backup, directory),
    logLevel: file.log.level,
  };
}

function overOf(
  ways: Pick<ConfigFile['lines'][number], 'serial' | 'tcp' | 'dialIn'>,
  directory: string,
): LineOver {
  if (ways.serial !== undefined) return { kind: 'serial', ...resolveSerial(ways.serial, directory) };
  if (ways.tcp !== undefined) return { kind: 'tcp', ...ways.tcp };
  if (ways.dialIn !== undefined) return { kind: 'dialIn', ...ways.dialIn };
  throw new ConfigError([]);
}
