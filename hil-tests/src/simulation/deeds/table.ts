import { z } from 'zod';
import type { Played } from '../run.ts';
import type { Told } from './deed.ts';
import * as archive from './archive.ts';
import { carry } from './carry.ts';
import * as office from './office.ts';
import * as terminals from './terminals.ts';
import * as trials from './trials.ts';
import * as troubles from './troubles.ts';

/** All that can be done at a site. */
const KINDS = [
  terminals.enrol,
  terminals.rename,
  terminals.removeThere,
  terminals.come,
  terminals.clearLog,
  terminals.setClock,
  office.add,
  office.call,
  office.regroup,
  office.remove,
  office.erase,
  office.adjust,
  office.scope,
  office.merge,
  office.decide,
  office.ask,
  troubles.pass,
  troubles.cable,
  troubles.reboot,
  troubles.restart,
  troubles.noise,
  troubles.fault,
  troubles.strike,
  troubles.ambush,
  troubles.ambushPower,
  troubles.losePower,
  troubles.disk,
  troubles.copy,
  troubles.putBack,
  troubles.given,
  troubles.compared,
  troubles.underway,
  troubles.brokerRestarts,
  troubles.brokerCuts,
  troubles.brokerFeels,
  trials.editAlone,
  trials.deleteMany,
  trials.resolve,
  trials.clash,
  trials.bulk,
  carry,
  archive.makes,
  archive.goesBack,
] as const;

type Kind = (typeof KINDS)[number];

/** Something that is done, as data. */
export type Deed = {
  [One in Kind as One['schema']['shape']['do']['value']]: z.infer<One['schema']>;
}[Kind['schema']['shape']['do']['value']];

const BY_NAME = new Map<string, Kind>(KINDS.map((kind) => [kind.schema.shape.do.value, kind]));

/** A deed as it was kept. */
export const deedSchema = z.discriminatedUnion('do', [
  KINDS[0].schema,
  ...KINDS.slice(1).map(({ schema }) => schema),
]);

/**
 * Does it.
 * @returns what was done; nothing when it did not apply
 * @throws Error naming what is not as it must be, where the deed looks itself
 */
export async function perform(played: Played, deed: Deed): Promise<Told> {
  const kind = BY_NAME.get(deed.do);
  if (kind === undefined) throw new Error(`nobody can ${deed.do}`);
  return kind.perform(played, deed);
}
