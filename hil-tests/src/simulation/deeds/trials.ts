import { z } from 'zod';
import { comeToRest, inTime } from '../rest.ts';
import type { Played } from '../run.ts';
import { deed, tried } from './deed.ts';
import { asForetold, EVERYBODY } from './foretold.ts';

// What is tried at rest, and looked at by itself: it says how things are done, not how they end.

const at = z.string();
const user = z.int();

/** Frames of at most this say that there is nothing to say, bytes. */
const IDLE_BYTES = 64;
/** What a change of a name may cost the gateway on a line: less than one template, bytes. */
const EDIT_BYTES = 384;
const FINGERS = 10;
/** Longest that somebody who comes may wait to be told of during bulk work, milliseconds. */
const LIVE_MS = 250;
const COME_EVERY_MS = 90;

/** Somebody is called another name, and nothing else happens. */
export const editAlone = deed('edit-alone', { user, name: z.string() }, async (played, one) => {
  const { rig, belief, north } = played;
  await comeToRest(rig, north);
  const rows = await rig.gateway.store.ledgerOf([one.user]);
  // Of whom it is not known what is there, or is something else, all is sent.
  if (
    belief.isApart(one.user) ||
    rows.some(
      ({ state, want, version, delivered }) =>
        want === 'absent' || state !== 'verified' || delivered !== version,
    )
  )
    return undefined;
  const said = new Map<string, number>();
  const forget = [...rig.media].map(([line, medium]) =>
    medium.tap(({ length }, fromGateway) => {
      if (fromGateway && length > IDLE_BYTES) said.set(line, (said.get(line) ?? 0) + length);
    }),
  );
  const edit = { set: { name: one.name }, clear: [] };
  const done = await tried(rig.gateway.operations.editUser(one.user, edit));
  if (done === 'done') belief.named(one.user, one.name);
  await comeToRest(rig, north);
  for (const end of forget) end();
  for (const [line, bytes] of said)
    if (bytes > EDIT_BYTES)
      throw new Error(`B14 only changed fields travel: a name took ${bytes} bytes on ${line}`);
  return done === 'done' ? `gateway: user ${one.user} is called ${one.name}, and nothing else` : undefined;
});

/** Users are deleted as a dry run said. */
export const deleteMany = deed('delete-many', { users: z.array(user) }, async (played, { users }) => {
  const { rig, belief, north } = played;
  await comeToRest(rig, north);
  const { operations } = rig.gateway;
  const preview = await operations.previewDeletion(users, EVERYBODY);
  await asForetold(played, preview, () => operations.deleteUsers(users, { confirm: preview.confirm }));
  for (const id of users) belief.deletedHere(id);
  return `gateway: users ${users.join(', ')} are deleted`;
});

/** A terminal is brought in line as a dry run said. */
export const resolve = deed('resolve', { at }, async (played, { at: terminal }) => {
  const { rig, north } = played;
  await comeToRest(rig, north);
  const { operations } = rig.gateway;
  const dry = operations.compare(terminal, { take: 'gateway', dryRun: true, ...EVERYBODY });
  const { preview } = await inTime(rig, `a dry run at ${terminal}`, dry);
  if (preview === undefined) throw new Error('B13 a dry run says what is done: it said nothing');
  await asForetold(played, preview, () =>
    inTime(
      rig,
      `${terminal} to be made right`,
      operations.compare(terminal, { take: 'gateway', confirm: preview.confirm }),
    ),
  );
  return `gateway: ${terminal} is made what it should be`;
});

/** Two people are enrolled under one number, at two terminals. */
export const clash = deed('clash', { user, at: z.tuple([at, at]) }, async (played, one) => {
  const { rig, belief, north } = played;
  await comeToRest(rig, north);
  const { operations, store } = rig.gateway;
  const isFree = [...rig.terminals.values()].every((terminal) => !terminal.users().has(one.user));
  if (!isFree || belief.users.has(one.user) || !belief.taken || !(await operations.settings()).hold)
    return undefined;
  belief.shared.add(one.user);
  const values = one.at.map((name, finger) => {
    const value = enrolled(played, { at: name, user: one.user, finger });
    rig.terminal(name).edit({ user: one.user, set: { name: `Person ${finger}` } });
    belief.editedAt(name, one.user);
    return value;
  });
  await comeToRest(rig, north);
  const open = await store.conflicts({ user: one.user, state: 'open', limit: 10 });
  if (!open.some(({ kind }) => kind === 'two-people'))
    throw new Error(`B16 two people under one number are held apart: nobody is told of user ${one.user}`);
  const records = [
    ['the gateway', (await store.user(one.user))?.record],
    ...[...rig.terminals].map(([name, terminal]) => [name, terminal.record(one.user)] as const),
  ] as const;
  for (const [place, record] of records) {
    const held = values.filter((value, finger) => value === valueOf(record?.fields.get(0x40 + finger)));
    if (held.length > 1)
      throw new Error(`B16 two people under one number are held apart: ${place} has fingers of both`);
  }
  return `${one.at.join(' and ')}: two people are enrolled as user ${one.user}`;
});

/** All fingers of somebody come and go to the others, while people come to a neighbour. */
export const bulk = deed('bulk', { user, at, neighbour: at }, async (played, one) => {
  const { rig, belief, north } = played;
  await comeToRest(rig, north);
  if (belief.users.has(one.user) || !belief.taken) return undefined;
  const { clock } = rig;
  const came: number[] = [];
  let longest = 0;
  const forget = rig.gateway.hub.subscribe(({ type, terminal }) => {
    if (!type.startsWith('access.') || terminal !== one.neighbour) return;
    longest = Math.max(longest, clock.now() - (came.shift() ?? clock.now()));
  });
  for (let finger = 0; finger < FINGERS; finger += 1)
    enrolled(played, { at: one.at, user: one.user, finger });
  for (let count = 0; count < 20; count += 1) {
    rig.terminal(one.neighbour).tap({ user: one.user });
    came.push(clock.now());
    await rig.pass(COME_EVERY_MS);
  }
  await comeToRest(rig, north);
  forget();
  if (longest > LIVE_MS)
    throw new Error(`B15 live events are not held back: one took ${Math.round(longest)} ms during bulk work`);
  if ((await tried(rig.gateway.operations.deleteUser(one.user))) === 'done') belief.deletedHere(one.user);
  return `${one.at}: all fingers of user ${one.user} are enrolled, while people come to ${one.neighbour}`;
});

interface Finger {
  readonly at: string;
  readonly user: number;
  readonly finger: number;
}

function enrolled({ rig, belief }: Played, { at: name, user: id, finger }: Finger): string {
  const terminal = rig.terminal(name);
  terminal.enrol({ user: id, finger });
  const field = 0x40 + finger;
  const value = valueOf(terminal.record(id)?.fields.get(field));
  belief.templates.add(value);
  belief.enrolledAt({ terminal: name, user: id, field, value });
  return value;
}

function valueOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64');
}
