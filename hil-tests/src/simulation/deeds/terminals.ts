import { z } from 'zod';
import type { Played } from '../run.ts';
import { deed, there } from './deed.ts';

// What people do at terminals.

const at = z.string();
const user = z.int();

export const enrol = deed('enrol', { at, user, slot: z.int() }, (played, one) => {
  const { rig, belief } = played;
  const terminal = rig.terminal(one.at);
  const cardOnly = terminal.model.capabilities.fingers === 0;
  const field = (cardOnly ? 0x10 : 0x40) + one.slot;
  const what = `${cardOnly ? 'card' : 'finger'} ${one.slot} of user ${one.user}`;
  const slot = cardOnly ? { card: one.slot } : { finger: one.slot };
  const done = there(() => terminal.enrol({ user: one.user, ...slot }));
  if (done === 'unsure') belief.unsureAt({ terminal: one.at, user: one.user, field });
  if (done !== 'done') return `${one.at}: ${what} is not enrolled: ${done}`;
  const value = Buffer.from(terminal.record(one.user)?.fields.get(field) ?? []).toString('base64');
  if (!cardOnly) belief.templates.add(value);
  belief.enrolledAt({ terminal: one.at, user: one.user, field, value });
  return `${one.at}: ${what} is enrolled`;
});

export const rename = deed('rename', { at, user, name: z.string() }, (played, one) => {
  if (!isThere(played, one)) return undefined;
  const terminal = played.rig.terminal(one.at);
  const done = there(() => terminal.edit({ user: one.user, set: { name: one.name } }));
  if (done === 'done') played.belief.editedAt(one.at, one.user);
  if (done === 'unsure') played.belief.unsureAt({ terminal: one.at, user: one.user });
  return `${one.at}: user ${one.user} is called ${one.name}: ${done}`;
});

export const removeThere = deed('remove-there', { at, user }, (played, one) => {
  if (!isThere(played, one)) return undefined;
  const done = there(() => played.rig.terminal(one.at).remove(one.user));
  if (done !== 'refused') played.belief.removedAt(one.at, one.user);
  if (done === 'unsure') played.belief.unsureAt({ terminal: one.at, user: one.user });
  return `${one.at}: user ${one.user} is deleted there: ${done}`;
});

/** As many people as get in; each leaves a record in the log. */
export const come = deed('come', { at, people: z.int() }, ({ rig }, { at: name, people }) => {
  const terminal = rig.terminal(name);
  let count = 0;
  while (count < people && there(() => terminal.tap({ user: 1 })) === 'done') count += 1;
  return `${name}: ${count} people come`;
});

export const clearLog = deed('clear-log', { at }, ({ rig }, one) => {
  return `${one.at}: the log is cleared: ${there(() => rig.terminal(one.at).clearLog())}`;
});

export const setClock = deed('set-clock', { at, hours: z.int() }, ({ rig }, one) => {
  const terminal = rig.terminal(one.at);
  if (terminal.power !== 'on') return undefined;
  const shown = Math.max(0, terminal.shown + one.hours * 3_600_000);
  return `${one.at}: the clock is set by ${one.hours} h: ${there(() => terminal.setClock(shown))}`;
});

function isThere({ rig }: Played, one: { readonly at: string; readonly user: number }): boolean {
  const terminal = rig.terminal(one.at);
  return terminal.power === 'on' && terminal.users().has(one.user);
}
