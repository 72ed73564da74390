import { Decipheriv } from 'node:crypto';
import type * as Protocol from '@whorl/protocol';
import { ReplayWindow } from '@whorl/protocol/session/window';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import * as onGateway from '../attacks/on-gateway.ts';
import * as onTerminals from '../attacks/on-terminals.ts';
import { add, countedBy, OTHER, VICTIM } from '../attacks/scene.ts';
import type { Attack, Scene } from '../attacks/scene.ts';
import { Between } from '../rig/between.ts';
import type { Crossing } from '../rig/between.ts';
import { allOnline, atRest } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import type { RigPlan } from '../rig/rig.ts';

/** What stands against attacks, and can be taken away to show that it is this that does. */
const DEFENCES = {
  /** A frame counts once, and in its turn. */
  counters: 'strike',
  /** What is sealed cannot be changed, header included. */
  tags: 'strike',
  /** Each session has keys of its own. */
  keys: 'start',
  /** A handshake is for one address and serial number. */
  prologue: 'start',
  /** A terminal's part of a handshake is new each time. */
  random: 'start',
  /** What proves an answer to a roll call is for this call only. */
  numbers: 'start',
} as const;
type Defence = keyof typeof DEFENCES;

const off = vi.hoisted(() => new Set<string>());

vi.mock('@whorl/protocol', async (original) => {
  const real = await original<typeof Protocol>();
  const mocked: Pick<typeof Protocol, 'prologueOf' | 'sealedSession' | 'seededRandom'> = {
    prologueOf: (serial, address) =>
      off.has('prologue') ? Buffer.from('Whorl 1') : real.prologueOf(serial, address),
    sealedSession(end, keys) {
      const fixed = { forth: new Uint8Array(32).fill(1), back: new Uint8Array(32).fill(2), hash: keys.hash };
      const session = real.sealedSession(end, off.has('keys') ? fixed : keys);
      const tag = session.tag.bind(session);
      return off.has('numbers')
        ? Object.assign(session, { tag: (_: number, head: Uint8Array) => tag(0, head) })
        : session;
    },
    // Seeds from 100 on are terminals'.
    seededRandom: (seed) =>
      off.has('random') && seed >= 100
        ? { below: (bound) => 123_456 % bound, bytes: (length) => new Uint8Array(length).fill(9) }
        : real.seededRandom(seed),
  };
  return { ...real, ...mocked };
});

const SITE: RigPlan = {
  lines: {
    floor: [{ name: 'terminal-1' }, { name: 'terminal-2' }, { name: 'terminal-3' }],
    lab: [{ name: 'terminal-4' }],
  },
};

/** Each with what stands against it; all of that must be taken away before it does any harm. */
const ATTACKS: readonly (readonly [title: string, attack: Attack, against: readonly Defence[]])[] = [
  ['a request played again', onTerminals.playedAgain, ['counters']],
  ['a request held back until it means something else', onTerminals.heldBack, ['counters']],
  ['a request cut short', onTerminals.cut, ['tags']],
  ['a request with a bit turned', onTerminals.changed, ['tags']],
  ['a request led to another terminal', onTerminals.redirected, ['keys', 'tags']],
  ['a request led to another line', onTerminals.redirectedLine, ['keys']],
  ['a broadcast played again', onTerminals.broadcastAgain, ['counters']],
  ['a whole session played again', onTerminals.sessionAgain, ['random']],
  ['a pairing played again', onTerminals.pairingAgain, ['random']],
  ['an answer spliced to another number', onGateway.spliced, ['tags']],
  ['a request thrown back as its answer', onGateway.reflected, ['tags']],
  ['an answer to a roll call played again', onGateway.presentAgain, ['numbers']],
  ['another terminal in the place of one', onGateway.impostor, ['prologue']],
];

for (const [title, attack, against] of ATTACKS) {
  describe(`G3 G7 ${title}`, () => {
    test('changes nothing anywhere, and is counted', async () => {
      const scene = await begin([]);
      const before = await countedBy(scene);
      expect(await attack(scene)).toBe(false);
      expect(await countedBy(scene)).toBeGreaterThan(before);
    });

    test(`does harm without ${against.join(' and ')}`, async () => {
      expect(await attack(await begin(against))).toBe(true);
    });

    for (const one of against.length > 1 ? against : [])
      test(`does none where only ${one} are left`, async () => {
        expect(await attack(await begin(against.filter((other) => other !== one)))).toBe(false);
      });
  });
}

async function begin(without: readonly Defence[]): Promise<Scene> {
  const take = (when: 'start' | 'strike'): void => {
    for (const defence of without) if (DEFENCES[defence] === when) off.add(defence);
  };
  onTestFinished(() => {
    off.clear();
  });
  take('start');
  const [floor, lab] = [new Between(), new Between()];
  const rig = await memoryRig(SITE, { between: { floor, lab } });
  onTestFinished(() => rig.close());
  const heard = { floor: listening(floor), lab: listening(lab) };
  await allOnline(rig);
  const scene: Scene = {
    rig,
    floor,
    lab,
    heard,
    strike() {
      take('strike');
      unguard();
    },
  };
  for (const user of [VICTIM, OTHER]) await add(scene, user);
  await atRest(rig);
  return scene;
}

/** Keeps all that crosses, whatever is done with it. */
function listening(between: Between): readonly Crossing[] {
  const heard: Crossing[] = [];
  between.listen((crossing) => heard.push(crossing));
  return heard;
}

/** Takes away what is not handed in anywhere. */
function unguard(): void {
  if (off.has('counters')) {
    const take = Reflect.get(ReplayWindow.prototype, 'take');
    vi.spyOn(ReplayWindow.prototype, 'take').mockImplementation(function (this: ReplayWindow, counter) {
      take.call(this, counter);
      return true;
    });
  }
  if (off.has('tags')) vi.spyOn(Decipheriv.prototype, 'final').mockReturnValue('');
}
