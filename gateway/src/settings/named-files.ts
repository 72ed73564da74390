import { readFileSync } from 'node:fs';
import { reasonOf, textOf } from '@whorl/protocol';
import type { Config, Problem } from './config.ts';
import { readSecretFile } from './secret-file.ts';

interface Named {
  /** Where it is named. */
  readonly key: string;
  readonly path: string | undefined;
}

/**
 * What is wrong with the files that a configuration names: they are on the gateway's machine, and may be made after the
 * configuration is.
 * @param path of the configuration, for the messages
 */
export function fileProblems(config: Config, path: string): Problem[] {
  const { database, mqtt, sites, http } = config;
  const { external, tls } = mqtt.enabled ? mqtt : {};
  const secrets: Named[] = [
    { key: 'database.passwordFile', path: database?.passwordFile },
    { key: 'mqtt.external.passwordFile', path: external?.passwordFile },
    { key: 'site.master.passwordFile', path: sites?.master?.passwordFile },
  ];
  const others: Named[] = [
    { key: 'database.ca', path: database?.ca },
    { key: 'http.tls.cert', path: http.tls?.cert },
    { key: 'http.tls.key', path: http.tls?.key },
    { key: 'mqtt.external.ca', path: external?.ca },
    { key: 'mqtt.tls.cert', path: external === undefined ? tls?.cert : undefined },
    { key: 'mqtt.tls.key', path: external === undefined ? tls?.key : undefined },
    { key: 'site.master.ca', path: sites?.master?.ca },
  ];
  return [
    ...secrets.flatMap((one) => problemOf(path, one, (file) => readSecretFile(file, 'CONFIG_FILE'))),
    ...others.flatMap((one) => problemOf(path, one, (file) => readFileSync(file))),
  ];
}

function problemOf(config: string, { key, path }: Named, look: (path: string) => unknown): Problem[] {
  if (path === undefined) return [];
  try {
    look(path);
    return [];
  } catch (error) {
    const isOurs = error instanceof Error && 'remedy' in error;
    const text = isOurs ? textOf(error) : `${path}: ${reasonOf(error)}`;
    return [{ code: 'CONFIG_FILE', place: `${config} ${key}`, text }];
  }
}
