import { BROADCAST, HEADER_BYTES } from '@whorl/protocol';
import { atRest, verifiedOn } from '../rig/behaviour.ts';
import { settled } from '../rig/settled.ts';
import {
  add,
  ADDRESS,
  EVERYWHERE,
  FLOOR,
  holds,
  isOnline,
  isRemoval,
  OTHER,
  remove,
  removalIn,
  saidTo,
  say,
  stateOf,
  VICTIM,
} from './scene.ts';
import type { Attack, Scene } from './scene.ts';

/** What was said to a terminal is said to it again, when it means something else. */
export const playedAgain: Attack = async (scene) => {
  await remove(scene, VICTIM);
  await add(scene, VICTIM);
  const before = await stateOf(scene);
  scene.strike();
  for (const frame of saidTo(scene.heard.floor)) say(scene, 'terminal-2', frame);
  return (await stateOf(scene)) !== before;
};

/** A deletion is held back, until the user has been added again. */
export const heldBack: Attack = async (scene) => {
  const { rig, floor } = scene;
  let held: Uint8Array | undefined;
  floor.act = (crossing) => {
    if (!isRemoval(crossing)) return undefined;
    held = crossing.frame;
    return {};
  };
  await rig.gateway.operations.deleteUser(VICTIM);
  await rig.until('the deletion given up for now', async () =>
    (await rig.gateway.store.ledger({ user: VICTIM, limit: 9 })).every(({ state }) => state === 'failed'),
  );
  floor.act = () => undefined;
  await add(scene, VICTIM);
  scene.strike();
  if (held === undefined) throw new Error('no deletion was heard');
  say(scene, 'terminal-2', held);
  await atRest(rig);
  return !holds(scene, 'terminal-2', VICTIM);
};

/** Of two users to be deleted one is cut off; the number in front, and how far the log was read, are set right. */
export const cut: Attack = async (scene) => {
  const { rig, floor } = scene;
  let done = false;
  rig.terminal('terminal-2').powerOff();
  await rig.until('it missed', async () => !(await isOnline(scene, 'terminal-2')));
  for (const user of [VICTIM, OTHER]) await rig.gateway.operations.deleteUser(user);
  floor.act = (crossing) => {
    if (done || !isRemoval(crossing, 2)) return undefined;
    done = true;
    scene.strike();
    const { frame } = crossing;
    const shorter = Buffer.concat([frame.subarray(0, HEADER_BYTES + 10), frame.subarray(-8)]);
    flip(shorter, HEADER_BYTES + 1, 2 ^ 1);
    for (const [at, byte] of [OTHER, 0, 0, 0].entries()) flip(shorter, HEADER_BYTES + 6 + at, byte ^ 0xff);
    return { on: [shorter] };
  };
  rig.terminal('terminal-2').powerOn();
  await rig.until('the deletion cut', () => done);
  await atRest(rig);
  return holds(scene, 'terminal-2', VICTIM) || holds(scene, 'terminal-2', OTHER);
};

/** Another user is deleted than the gateway says: a bit is turned under the cipher. */
export const changed: Attack = async (scene) => {
  let done = false;
  scene.floor.act = (crossing) => {
    if (done || !isRemoval(crossing)) return undefined;
    done = true;
    scene.strike();
    const other = crossing.frame.slice();
    flip(other, HEADER_BYTES + 2, VICTIM ^ OTHER);
    return { on: [other] };
  };
  await remove(scene, VICTIM);
  await atRest(scene.rig);
  return holds(scene, 'terminal-2', VICTIM) || !holds(scene, 'terminal-2', OTHER);
};

/** What was said to one terminal is said to its neighbour, under the neighbour's address. */
export const redirected: Attack = async (scene) => {
  await talkative(scene, 'terminal-2');
  await remove(scene, VICTIM);
  const removal = removalIn(scene.heard.floor).slice();
  await add(scene, VICTIM);
  scene.strike();
  removal[1] = ADDRESS + 1;
  say(scene, 'terminal-3', removal);
  await atRest(scene.rig);
  return !holds(scene, 'terminal-3', VICTIM);
};

/** What was said on one line is said on another, to the terminal that has the same address there. */
export const redirectedLine: Attack = async (scene) => {
  await talkative(scene, 'terminal-4');
  await remove(scene, VICTIM);
  const removal = removalIn(scene.heard.lab, 1);
  await add(scene, VICTIM);
  scene.strike();
  say(scene, 'terminal-1', removal);
  await atRest(scene.rig);
  return !holds(scene, 'terminal-1', VICTIM);
};

/** What was said to all is said to all again. */
export const broadcastAgain: Attack = async (scene) => {
  await scene.rig.gateway.operations.addUser(7, { set: { name: 'Ada' }, clear: [] });
  await verifiedOn(scene.rig, 7, EVERYWHERE);
  const before = await stateOf(scene);
  const said = saidTo(scene.heard.floor, BROADCAST);
  scene.strike();
  for (const frame of said) for (const name of FLOOR) say(scene, name, frame);
  return (await stateOf(scene)) !== before;
};

/** A whole session is played again, its handshake included, to a terminal that has just started. */
export const sessionAgain: Attack = async (scene) => {
  const { rig, heard, floor } = scene;
  await remove(scene, VICTIM);
  const said = saidTo(heard.floor);
  await add(scene, VICTIM);
  await atRest(rig);
  floor.act = ({ frame }) => (frame[1] === ADDRESS ? {} : undefined);
  rig.terminal('terminal-2').reboot();
  await rig.until('it has started', () => rig.terminal('terminal-2').power === 'on');
  scene.strike();
  for (const frame of said) say(scene, 'terminal-2', frame);
  return !holds(scene, 'terminal-2', VICTIM);
};

/** A pairing is played again while somebody pairs the terminal anew. */
export const pairingAgain: Attack = async (scene) => {
  const { rig, heard } = scene;
  const terminal = rig.terminal('terminal-2');
  const pair = async (): Promise<void> => {
    const pairing = { code: terminal.pair(), replace: false };
    await settled(rig, 'paired', rig.gateway.operations.pair('terminal-2', pairing));
    await atRest(rig);
  };
  const from = heard.floor.length;
  await pair();
  const said = saidTo(heard.floor.slice(from));
  await pair();
  const before = await stateOf(scene);
  terminal.pair();
  scene.strike();
  for (const frame of said) say(scene, 'terminal-2', frame);
  return (await stateOf(scene)) !== before;
};

/** Has the gateway say so much to a terminal that its counter is ahead of the others'. */
async function talkative({ rig }: Scene, terminal: string): Promise<void> {
  for (let time = 0; time < 10; time += 1)
    await settled(rig, 'compared', rig.gateway.operations.compare(terminal, {}));
}

function flip(frame: Uint8Array, at: number, bits: number): void {
  frame[at] = (frame[at] ?? 0) ^ bits;
}
