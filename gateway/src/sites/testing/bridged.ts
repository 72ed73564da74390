import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrokerFile } from '../broker-accounts.ts';
import { HQ } from './company.ts';
import { systemBroker } from './brokers.ts';
import type { SystemBroker } from './brokers.ts';

/** Two Mosquittos: the master is at one, all satellites at the other; SITES.md has the same lines. */
export interface Bridged extends SystemBroker {
  /** Where the satellites are. */
  readonly sites: SystemBroker;
}

/** The bridge is at the master's broker, and logs in at the other with the master's account. */
export async function bridgedBrokers(program: string): Promise<Bridged> {
  const [hq, sites] = await Promise.all([
    systemBroker('mosquitto', program),
    systemBroker('mosquitto', program),
  ]);
  const both = async (
    files: readonly BrokerFile[],
    work: (broker: SystemBroker, own: readonly BrokerFile[]) => Promise<void>,
  ): Promise<void> => {
    await work(
      sites,
      files.map((file) => elsewhere(file, hq, sites)),
    );
    await work(hq, files);
  };
  return {
    ...hq,
    sites,
    start: async (files) => {
      writeFileSync(join(hq.place.directory, 'bridge.conf'), bridgeTo(sites), { mode: 0o600 });
      await both(files, (broker, own) => broker.start(own));
    },
    reload: (files, removed) => both(files, (broker, own) => broker.reload(own, removed)),
    stop: async () => {
      await hq.stop();
      await sites.stop();
    },
  };
}

function elsewhere(
  { name, text }: BrokerFile,
  { place: from }: SystemBroker,
  { place }: SystemBroker,
): BrokerFile {
  const moved = text
    .replaceAll(from.directory, place.directory)
    .replace(`listener ${from.port}`, `listener ${place.port}`);
  return { name, text: moved };
}

function bridgeTo({ place: { port }, ca }: SystemBroker): string {
  const lines = [
    'connection sites',
    `address 127.0.0.1:${port}`,
    `bridge_cafile ${ca}`,
    `remote_username ${HQ.user}`,
    `remote_password ${HQ.password}`,
    'remote_clientid whorl-bridge-hq',
    'bridge_protocol_version mqttv311',
    'topic whorl-sites/hq/+/up in 1',
    'topic whorl-sites/hq/+/state in 1',
    'topic whorl-sites/hq/+/down out 1',
    'cleansession true',
    'notifications false',
    'restart_timeout 1',
  ];
  return `${lines.join('\n')}\n`;
}
