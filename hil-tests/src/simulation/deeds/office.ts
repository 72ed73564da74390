import { z } from 'zod';
import type { Played } from '../run.ts';
import { isHeld } from '../held.ts';
import { comeToRest } from '../rest.ts';
import { deed, tried } from './deed.ts';
import { asForetold, EVERYBODY } from './foretold.ts';

// What people and programs do at the gateway.

const user = z.int();
const name = z.string();
const groups = z.array(z.int());
const FIRST_ASKED = 1_000;

export const add = deed('add', { user, name, groups }, async ({ rig, belief }, one) => {
  const done = await tried(
    rig.gateway.operations.addUser(one.user, { set: { name: one.name, groups: one.groups }, clear: [] }),
  );
  if (done === 'done') belief.named(one.user, one.name);
  if (done === 'unsure') belief.unsure(one.user);
  return done === 'done' ? `gateway: user ${one.user} is added as ${one.name}` : undefined;
});

export const call = deed('call', { user, name }, async ({ rig, belief }, one) => {
  const done = await tried(rig.gateway.operations.editUser(one.user, { set: { name: one.name }, clear: [] }));
  if (done === 'done') belief.named(one.user, one.name);
  if (done === 'unsure') belief.forgetName(one.user);
  return done === 'done' ? `gateway: user ${one.user} is called ${one.name}` : undefined;
});

export const regroup = deed('regroup', { user, groups }, async ({ rig }, one) => {
  const edit = { set: { groups: one.groups }, clear: [] };
  const done = await tried(rig.gateway.operations.editUser(one.user, edit));
  return done === 'done' ? `gateway: user ${one.user} has groups ${one.groups.join(', ')}` : undefined;
});

export const remove = deed('delete', { user }, async ({ rig, belief }, one) => {
  const done = await tried(rig.gateway.operations.deleteUser(one.user));
  if (done === 'done') belief.deletedHere(one.user);
  if (done === 'unsure') belief.unsure(one.user);
  return done === 'done' ? `gateway: user ${one.user} is deleted` : undefined;
});

/** Somebody asks to be forgotten. */
export const erase = deed('erase', { user }, async ({ rig, belief, machine }, one) => {
  const isWorking = machine?.disk.refuses === undefined;
  const done = await tried(rig.gateway.operations.eraseUser(one.user));
  if (done === 'done') belief.erasedHere(one.user, isWorking);
  if (done === 'unsure') belief.unsure(one.user);
  return done === 'done' ? `gateway: user ${one.user} is erased` : undefined;
});

/** Settings that change what becomes of things, not what must be true of them. */
const adjusted = z.strictObject({
  restoreDeleted: z.boolean().exactOptional(),
  hold: z.boolean().exactOptional(),
  guardUsers: z.int().exactOptional(),
  guardPercent: z.int().exactOptional(),
});

export const adjust = deed('adjust', { settings: adjusted }, async ({ rig }, { settings }) => {
  const done = await tried(rig.gateway.operations.changeSettings(settings));
  return done === 'done' ? `gateway: ${JSON.stringify(settings)}` : undefined;
});

const autoSync = z.enum(['off', 'all', 'all-with-device-updates', 'access-groups']);
const policy = z.enum(['fill-vacant', 'terminal-wins', 'newest-wins']);

/** At rest, so that it is known under which setting people's changes fall. */
export const scope = deed('scope', { autoSync }, async (played, wanted) => {
  await changed(played, { autoSync: wanted.autoSync });
  return `gateway: auto sync ${wanted.autoSync}`;
});

export const merge = deed('merge', { policy }, async (played, wanted) => {
  await changed(played, { merge: { name: wanted.policy } });
  return `gateway: names are merged by ${wanted.policy}`;
});

/** Whoever decides conflicts decides all of them. */
export const decide = deed('decide', { take: z.enum(['ours', 'theirs']) }, async (played, { take }) => {
  const { rig, belief } = played;
  const people = await rig.gateway.store.conflicts({ limit: 1000 });
  const decided = await rig.gateway.operations.decideConflicts({}, take);
  if (decided === 0) return undefined;
  // Who was held apart has the number from now on, whoever had it.
  for (const { kind, user: id } of people) if (kind === 'two-people' && take === 'theirs') belief.unsure(id);
  belief.decided();
  return `gateway: ${decided} conflicts are decided for ${take}`;
});

/**
 * A program at the broker changes a setting to what nobody else does; some do not wait before they ask again,
 * milliseconds.
 */
export const ask = deed('ask', { againMs: z.int().exactOptional() }, ({ north }, { againMs }) => {
  if (north === undefined) return undefined;
  const value = FIRST_ASKED + north.asked.length;
  return `broker: ${north.ask(value, againMs)} asks for guardUsers ${value}`;
});

type Changes = Parameters<Played['rig']['gateway']['operations']['changeSettings']>[0];

async function changed(played: Played, wanted: Changes): Promise<void> {
  const { rig, belief, north } = played;
  await comeToRest(rig, north);
  const { operations } = rig.gateway;
  const preview = await operations.previewSettings(wanted, EVERYBODY);
  const there = new Set(belief.untaken.filter((one) => isHeld(rig, one)));
  await asForetold(played, preview, () => operations.changeSettings(wanted, { confirm: preview.confirm }));
  const now = await operations.settings();
  belief.setting(now.autoSync, (one) => there.has(one));
  belief.keepsNames = (now.merge.name ?? 'fill-vacant') === 'fill-vacant';
  if (!belief.keepsNames) belief.forgetNames();
}
