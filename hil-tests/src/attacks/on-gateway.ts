import { Call } from '@whorl/device-emulator';
import {
  BROADCAST,
  HEADER_BYTES,
  isShort,
  plainSession,
  readHeader,
  toWire,
  decodeMessage,
  unstuff,
} from '@whorl/protocol';
import { wireOf } from '../rig/between.ts';
import type { Crossing } from '../rig/between.ts';
import { allOnline, atRest } from '../rig/behaviour.ts';
import { ADDRESS, DONE_BYTES, holds, isOnline, isRemoval, OTHER, ROLL_CALL_BYTES, VICTIM } from './scene.ts';
import type { Attack } from './scene.ts';

const FROM_TERMINAL = 0x10;

/** The answer to one request, which the gateway never got, comes under the number of another that the terminal never got. */
export const spliced: Attack = async (scene) => {
  const { rig, floor } = scene;
  let answer: Uint8Array | undefined;
  floor.act = ({ frame, fromGateway }) => {
    if (fromGateway || frame.length !== DONE_BYTES || frame[1] !== ADDRESS) return undefined;
    answer = frame;
    return {};
  };
  await rig.gateway.operations.deleteUser(OTHER);
  await rig.until('the deletion given up for now', async () =>
    (await rig.gateway.store.ledger({ user: OTHER, limit: 9 })).every(({ state }) => state === 'failed'),
  );
  let done = false;
  floor.act = (crossing) => {
    if (done || answer === undefined || !(isRemoval(crossing) || isRemoval(crossing, 2))) return undefined;
    done = true;
    scene.strike();
    const head = crossing.frame.slice(0, HEADER_BYTES);
    head[0] = answer[0] ?? 0;
    return { back: [Buffer.concat([head, answer.subarray(HEADER_BYTES)])] };
  };
  await rig.gateway.operations.deleteUser(VICTIM);
  await rig.until('the request answered', () => done);
  await rig.until(
    'nothing more to delete',
    async () => (await rig.gateway.store.ledger({ user: VICTIM, limit: 9 })).length === 0,
  );
  await atRest(rig);
  return holds(scene, 'terminal-2', VICTIM);
};

/** The gateway's own request comes back to it as its answer, before the terminal's. */
export const reflected: Attack = async (scene) => {
  const { rig, floor } = scene;
  let done = false;
  floor.act = (crossing) => {
    if (done || !isRemoval(crossing)) return undefined;
    done = true;
    scene.strike();
    const { frame } = crossing;
    const head = frame.slice(0, HEADER_BYTES);
    head[0] = (head[0] ?? 0) | FROM_TERMINAL;
    const counter = frame.subarray(2, HEADER_BYTES);
    return { on: [frame], back: [Buffer.concat([head, counter, frame.subarray(HEADER_BYTES)])] };
  };
  await rig.gateway.operations.deleteUser(VICTIM);
  let failed = false;
  await rig.until('the deletion over', async () => {
    const rows = await rig.gateway.store.ledger({ user: VICTIM, limit: 9 });
    failed = rows.some(({ state }) => state === 'failed');
    return failed || rows.length === 0;
  });
  return failed;
};

/** A terminal without power seems to be there: what it said to one roll call is said to the next ones. */
export const presentAgain: Attack = async (scene) => {
  const { rig, floor, heard } = scene;
  await rig.until('its answer heard', () => hereOf(heard.floor) !== undefined);
  const here = hereOf(heard.floor);
  rig.terminal('terminal-2').powerOff();
  scene.strike();
  floor.act = ({ frame, fromGateway }) => {
    const called = fromGateway && frame.length === ROLL_CALL_BYTES && frame[1] === BROADCAST;
    return called && here !== undefined ? { on: [frame], back: [here] } : undefined;
  };
  await rig.pass(20_000);
  return isOnline(scene, 'terminal-2');
};

/**
 * The wire to one terminal is led to another one, which says that it is that one; both have the same key.
 * What the key alone does not prove, the handshake must.
 */
export const impostor: Attack = async (scene) => {
  const { rig, lab } = scene;
  const { store } = rig.gateway;
  const key = new Uint8Array(32).fill(0x77);
  for (const name of ['terminal-1', 'terminal-4']) {
    rig.terminal(name).setKey(key);
    await store.savePairings(new Map([[rig.terminal(name).serial, { terminal: name, key }]]), []);
  }
  await rig.restartGateway();
  await allOnline(rig);
  const { serial } = rig.terminal('terminal-4');
  rig.media.get('floor')?.setPlugged(rig.terminal('terminal-1'), false);
  scene.strike();
  lab.act = ({ frame, fromGateway }) => {
    if (!fromGateway || isShort(frame)) return {};
    const stuffed = wireOf(frame).subarray(0, -1);
    const instead = rig.terminal('terminal-1');
    const here = frame[1] === BROADCAST ? instead.hearCall(new Call(stuffed)) : undefined;
    const answers = frame[1] === BROADCAST ? [] : instead.hear(stuffed);
    const wires = here === undefined ? answers : [here.wire];
    return { back: wires.map((wire) => pretending(unstuff(wire.subarray(0, -1)), serial)) };
  };
  await rig.pass(20_000);
  return isOnline(scene, 'terminal-4');
};

/** What a terminal says of itself in plain, with another's serial number. */
function pretending(frame: Uint8Array, serial: string): Uint8Array {
  if (isShort(frame)) return frame;
  const header = readHeader(frame);
  if (header.sealed) return frame;
  const message = decodeMessage(plainSession.open(frame).payload);
  if (message.name !== 'present') return frame;
  return unstuff(toWire(plainSession, header, 'present', { ...message.body, serial }).subarray(0, -1));
}

/** The last answer of terminal-2 to a roll call. */
function hereOf(heard: readonly Crossing[]): Uint8Array | undefined {
  const HERE_BYTES = 10;
  return heard.findLast(
    ({ frame, fromGateway }) =>
      !fromGateway && isShort(frame) && frame.length === HERE_BYTES && frame[1] === ADDRESS,
  )?.frame;
}
