import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cpace, decodeMessage, pairingKey, prologueOf, sealedSession, seededRandom } from '@whorl/protocol';
import type * as Protocol from '@whorl/protocol';
import type { NoiseKeys } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PairingMan } from '../attacks/man.ts';
import { answered, bodyOf, keysOnDisk, plainOf, readWith, tried } from '../attacks/thief.ts';
import { Between } from '../rig/between.ts';
import type { Crossing } from '../rig/between.ts';
import { allOnline, atRest, verifiedOn } from '../rig/behaviour.ts';
import { settled } from '../rig/settled.ts';
import { memoryRig } from '../rig/memory.ts';
import type { MemoryRig } from '../rig/memory.ts';

/** What each end has drawn for its handshakes: nobody has these but the ends themselves, and they forget them. */
const drawn = vi.hoisted(() => ({ gateway: new Array<Uint8Array>(), terminals: new Array<Uint8Array>() }));

vi.mock('@whorl/protocol', async (original) => {
  const real = await original<typeof Protocol>();
  const mocked: Pick<typeof Protocol, 'seededRandom'> = {
    seededRandom(seed) {
      const random = real.seededRandom(seed);
      return {
        below: (bound) => random.below(bound),
        bytes(length) {
          const bytes = random.bytes(length);
          // Seeds from 100 on are terminals'.
          (seed >= 100 ? drawn.terminals : drawn.gateway).push(bytes);
          return bytes;
        },
      };
    },
  };
  return { ...real, ...mocked };
});

const NAMES = ['terminal-1', 'terminal-2'];
const SERIAL = 'WX-terminal-2';
const ADDRESS = 2;

interface Scene {
  readonly rig: MemoryRig;
  readonly floor: Between;
  /** All that has crossed the line, from the first byte. */
  readonly heard: readonly Crossing[];
}

async function begin(data?: string): Promise<Scene> {
  drawn.gateway.length = 0;
  drawn.terminals.length = 0;
  const floor = new Between();
  const heard: Crossing[] = [];
  floor.listen((crossing) => heard.push(crossing));
  const site = { lines: { floor: NAMES.map((name) => ({ name })) } };
  const rig = await memoryRig(site, { between: { floor }, ...(data === undefined ? {} : { data }) });
  await allOnline(rig);
  return { rig, floor, heard };
}

/** Nobody has a key any more: the terminal shows a code. */
async function unpaired({ rig }: Scene): Promise<string> {
  const terminal = rig.terminal('terminal-2');
  await settled(rig, 'unpaired', rig.gateway.operations.unpair('terminal-2'));
  terminal.setKey(undefined);
  return terminal.pair();
}

/** The pairing key that the gateway keeps for the terminal. */
async function keptKey({ rig }: Scene): Promise<Uint8Array | undefined> {
  return (await rig.gateway.store.pairings()).get(SERIAL)?.key;
}

function pairing(scene: Scene, code: string): Promise<string | undefined> {
  const { rig } = scene;
  return settled(rig, 'pairing over', rig.gateway.operations.pair('terminal-2', { code, replace: false }));
}

test('G3 a man in the middle of a pairing who guesses the code is noticed by both ends, and no key is kept', async () => {
  const scene = await begin();
  onTestFinished(() => scene.rig.close());
  const terminal = scene.rig.terminal('terminal-2');
  const code = await unpaired(scene);
  for (const [left, guess] of ['000001', '000002', '000003'].entries()) {
    const man = new PairingMan({ terminal, code: guess, random: seededRandom(50 + left) });
    scene.floor.act = man.act;
    expect(await pairing(scene, code)).toBe('PAIRING_CODE');
    expect(terminal.pairing).toEqual(left < 2 ? { kind: 'open', code, tries: 2 - left } : { kind: 'failed' });
    expect(man.key).toBeUndefined();
    expect(terminal.isPaired).toBe(false);
    expect(await keptKey(scene)).toBeUndefined();
  }
});

test('G3 the same man with the right code would have the key: it is the code that keeps him out', async () => {
  const scene = await begin();
  onTestFinished(() => scene.rig.close());
  const terminal = scene.rig.terminal('terminal-2');
  const code = await unpaired(scene);
  const man = new PairingMan({ terminal, code, random: seededRandom(50) });
  scene.floor.act = man.act;
  expect(await pairing(scene, code)).toBe(SERIAL);
  expect(terminal.pairing).toEqual({ kind: 'paired' });
  expect(man.key).toEqual(new Uint8Array((await keptKey(scene)) ?? []));
  scene.floor.act = () => undefined;
  await atRest(scene.rig);
});

test('G3 whoever hears a pairing from the first byte and learns the code later cannot make its key', async () => {
  const scene = await begin();
  onTestFinished(() => scene.rig.close());
  const from = scene.heard.length;
  const code = await unpaired(scene);
  expect(await pairing(scene, code)).toBe(SERIAL);
  const said = scene.heard.slice(from);
  const kept = new Uint8Array((await keptKey(scene)) ?? []);
  const secrets = { guessed: guesses(said, code), true: drawn.terminals };
  expect(secrets.guessed.length).toBeGreaterThan(4);
  expect(pairingKeysFrom(said, code, secrets.guessed)).toEqual([]);
  // With what the terminal drew, and forgot, it would open.
  expect(pairingKeysFrom(said, code, secrets.true)).toContainEqual(kept);
});

/** What may be taken for a secret number by somebody who has all but that. */
function guesses(said: readonly Crossing[], code: string): Uint8Array[] {
  const seen = said.map(plainOf).flatMap((message) => Object.values(message?.body ?? {}));
  const bytes = seen.filter((value) => value instanceof Uint8Array).map((value) => value.slice(0, 32));
  const digits = Buffer.alloc(32);
  digits.write(code);
  return [
    ...bytes.filter(({ length }) => length === 32),
    digits,
    sha256(Buffer.from(code)),
    Buffer.alloc(32, 1),
  ];
}

/** The keys that were handed over in a pairing, as far as these secrets of the terminal open it. */
function pairingKeysFrom(
  said: readonly Crossing[],
  code: string,
  secrets: readonly Uint8Array[],
): Uint8Array[] {
  const begun = bodyOf(said, 'pair.begin');
  const shared = bodyOf(said, 'pair.share');
  const opened = bodyOf(said, 'pair.open');
  const channel = prologueOf(SERIAL, ADDRESS);
  const keys: Uint8Array[] = [];
  for (const secret of secrets) {
    const end = new Cpace({ code: Buffer.from(code), channel, id: begun.id, secret });
    const psks = [pairingKey(end.key({ share: begun.share }, { begins: false }))];
    psks.push(pairingKey(end.key({ share: shared.share }, { begins: true })));
    for (const psk of psks)
      for (const ephemeral of secrets) {
        const session = answered({ psk, prologue: channel, ephemeral }, opened.handshake);
        if (session !== undefined) keys.push(...keysIn(said, session));
      }
  }
  return keys;
}

function keysIn(said: readonly Crossing[], keys: NoiseKeys): Uint8Array[] {
  const session = sealedSession('terminal', keys);
  return said.flatMap(({ frame }) => {
    const payload = tried(() => session.open(frame).payload);
    const message = payload === undefined ? undefined : decodeMessage(payload);
    return message?.name === 'pair.key' ? [new Uint8Array(message.body.key)] : [];
  });
}

test('G7 the whole capture of a line, and later all that lies on the gateway’s disk, give no template', async () => {
  const data = mkdtempSync(join(tmpdir(), 'whorl-secrecy-'));
  onTestFinished(() => {
    rmSync(data, { recursive: true, force: true });
  });
  const scene = await begin(data);
  const { rig, heard } = scene;
  rig.terminal('terminal-1').enrol({ user: 77, name: 'Augusta', fingers: 2 });
  await verifiedOn(rig, 77, NAMES);
  await atRest(rig);
  const template = Buffer.from(rig.terminal('terminal-1').user(77)?.['finger.0']?.first ?? []);
  expect(template.length).toBeGreaterThan(100);
  const ephemerals = drawn.gateway.filter(({ length }) => length === 32);
  await rig.close();

  const keys = await keysOnDisk(data);
  expect(keys.length).toBeGreaterThan(NAMES.length);
  const found = readWith(heard, keys, keys);
  expect(found.sessions).toBeGreaterThan(0);
  expect(found.texts).toEqual([]);
  // With a session's ephemeral key, which lies nowhere, the capture would open.
  const bitten = readWith(heard, keys, ephemerals);
  expect(bitten.texts.some((text) => text.includes(template))).toBe(true);
});

function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(data).digest());
}
