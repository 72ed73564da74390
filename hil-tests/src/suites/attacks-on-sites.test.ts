import { createDecipheriv } from 'node:crypto';
import { Bucket } from '@whorl/gateway/settings/bucket';
import type * as Channels from '@whorl/gateway/sites/channel';
import { LOGIN } from '@whorl/gateway/sites/channel';
import { readMessage, writeMessage } from '@whorl/gateway/sites/message';
import type { SitesCrossing } from '@whorl/gateway/sites/testing/bus';
import { carded, named, World } from '@whorl/gateway/sites/testing/world';
import { FIELDS, nonceOf, seededRandom } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';

/** What stands against whoever sits at the broker, and can be taken away to show that it is this that does. */
type Defence = 'tags' | 'numbers' | 'ids' | 'keys' | 'seal';
const off = vi.hoisted(() => new Set<string>());
const [HEAD_BYTES, TAG_BYTES, NUMBER_AT] = [17, 16, 9];

vi.mock('@whorl/gateway/sites/channel', async (original) => {
  const real = await original<typeof Channels>();
  let fresh = 1_000_000;
  class Weak extends real.Channel {
    readonly #made: ConstructorParameters<typeof real.Channel>;
    constructor(...made: ConstructorParameters<typeof real.Channel>) {
      const [, begins] = made;
      const same = new Uint8Array(32).fill(1);
      const keys = off.has('keys')
        ? { forth: same, back: same.map((byte) => byte + 1), hash: same }
        : made[0];
      super(keys, begins);
      this.#made = [keys, begins];
    }
    override seal(clear: Uint8Array): Uint8Array {
      const sealed = super.seal(clear);
      return off.has('seal')
        ? Buffer.concat([sealed.subarray(0, HEAD_BYTES), clear, sealed.subarray(-TAG_BYTES)])
        : sealed;
    }
    override open(bytes: Uint8Array): Uint8Array | undefined {
      if (off.has('seal')) return bytes.subarray(HEAD_BYTES, -TAG_BYTES);
      if (off.has('tags')) {
        const [{ forth, back }, begins] = this.#made;
        const number = Number(Buffer.from(bytes).readBigUInt64LE(NUMBER_AT));
        const options = { authTagLength: TAG_BYTES };
        const decipher = createDecipheriv(
          'chacha20-poly1305',
          begins ? back : forth,
          nonceOf(number),
          options,
        );
        return decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
      }
      const clear = off.has('numbers') ? new real.Channel(...this.#made).open(bytes) : super.open(bytes);
      if (clear === undefined || !off.has('ids')) return clear;
      const { body, blobs } = readMessage(clear);
      fresh += 1;
      return writeMessage({ body: { ...Object(body), id: fresh }, blobs });
    }
  }
  return { ...real, Channel: Weak };
});

async function open(): Promise<World> {
  off.clear();
  onTestFinished(() => off.clear());
  const world = await World.open(11);
  onTestFinished(() => world.close());
  return world;
}

/** Keeps all that crosses. */
function listening(world: World): SitesCrossing[] {
  const heard: SitesCrossing[] = [];
  world.bus.man = (crossing) => {
    heard.push(crossing);
    return undefined;
  };
  return heard;
}

async function names(world: World): Promise<string[]> {
  return (await world.hq.store.users({ limit: 100 })).map(({ name }) => name);
}

/** An attack at the broker. @returns whether it did harm */
type AtBroker = (world: World, strike: () => void) => Promise<boolean>;

const playedAgain: AtBroker = async (world, strike) => {
  const north = await world.add('north');
  const heard = listening(world);
  // Nobody can tell who it is: whom the master knows as deleted would not come back in any case.
  await north.enrol(2, { [FIELDS.pin.number]: world.random.bytes(36) });
  await north.sync();
  await world.hq.remove(2);
  strike();
  world.bus.man = undefined;
  for (const crossing of heard.filter(({ up, bytes }) => up && bytes[0] !== LOGIN)) world.bus.say(crossing);
  await world.pass(5_000);
  return '2' in (await world.hq.contents());
};

/** In a session that stands a site says: that it is there, that it keeps its token, what it offers. */
const OFFERS = 3;

const changed: AtBroker = async (world, strike) => {
  const north = await world.add('north');
  await north.sync();
  await north.enrol(2, named('Bo'));
  strike();
  let said = 0;
  world.bus.man = ({ up, bytes }) => {
    said += up ? 1 : 0;
    if (!up || said !== OFFERS) return undefined;
    // The last letter of the name.
    const forged = Uint8Array.from(bytes);
    const at = forged.length - TAG_BYTES - 1;
    forged[at] = (forged[at] ?? 0) ^ 1;
    return [forged];
  };
  void north.satellite.syncNow().catch(() => undefined);
  await world.pass(60_000);
  return (await names(world)).some((name) => name !== 'Bo');
};

const redirected: AtBroker = async (world, strike) => {
  strike();
  const [north, south] = [await world.add('north'), await world.add('south')];
  // What he hands over has to look new there.
  for (let round = 0; round < 3; round += 1) await north.sync();
  await south.sync();
  await north.enrol(2, named('Bo'));
  let said = 0;
  world.bus.man = (crossing) => {
    said += crossing.up ? 1 : 0;
    if (!crossing.up || said < OFFERS) return undefined;
    world.bus.say({ ...crossing, syncId: 3 });
    return [];
  };
  await north.sync();
  return '2' in (await world.hq.contents());
};

const listened: AtBroker = async (world, strike) => {
  strike();
  const heard = listening(world);
  await world.hq.edit(1, { ...named('Adalbert'), ...carded(0x7a7a) });
  const north = await world.add('north');
  await north.enrol(2, named('Berthold'));
  await north.sync();
  const all = Buffer.concat(heard.map(({ bytes }) => bytes));
  return ['Adalbert', 'Berthold', 'pc of north', 'correct horse'].some((secret) => all.includes(secret));
};

const AT_BROKER: readonly (readonly [title: string, attack: AtBroker, against: readonly Defence[]])[] = [
  ['what a site said is played again', playedAgain, ['numbers', 'ids']],
  ['what a site said is changed by a bit', changed, ['tags']],
  ['a message is led to another site', redirected, ['keys']],
  ['all that is said is listened to', listened, ['seal']],
];

for (const [title, attack, against] of AT_BROKER) {
  test(`S12 ${title} by who runs the broker: it is worth nothing`, async () => {
    expect(await attack(await open(), () => undefined)).toBe(false);
  });
  test(`S12 ${title}: does harm without ${against.join(' and ')}`, async () => {
    const strike = (): void => {
      for (const one of against) off.add(one);
    };
    expect(await attack(await open(), strike)).toBe(true);
  });
}

test('S12 what is dropped, held back or put into another order at the broker ends with the same users, or is told', async () => {
  const world = await open();
  const north = await world.add('north');
  const random = seededRandom(5);
  const held: SitesCrossing[] = [];
  world.bus.man = (crossing) => {
    if (held.length < 4 && random.below(4) === 0) {
      held.push(crossing);
      return [];
    }
    const [late] = held.splice(random.below(held.length + 1), 1);
    return late?.up === crossing.up ? [crossing.bytes, late.bytes] : [crossing.bytes];
  };
  for (let user = 1; user <= 20; user += 1) await world.hq.edit(user, named(`User ${user}`));
  for (let user = 21; user <= 30; user += 1) await north.enrol(user, named(`User ${user}`));
  for (let round = 0; round < 5; round += 1) await north.sync();
  expect(Object.keys(await world.hq.contents())).toHaveLength(30);
  expect(await north.contents()).toEqual(await world.hq.contents());
  world.bus.man = () => [];
  expect(await north.sync()).toBe('SITES_LINK');
  expect(north.satellite.state).toMatchObject({ online: false, trouble: { code: 'SITES_LINK' } });
});

test('S3 who has a site’s account at the broker only can keep that site from its master for as long as he is there, and floods cost the master little', async () => {
  const world = await open();
  const north = await world.add('north');
  await north.sync();
  const before = await world.hq.contents();
  const flood = async (): Promise<number> => {
    let answers = 0;
    world.bus.man = ({ up }) => {
      if (!up) answers += 1;
      return undefined;
    };
    const hello = { step: 'hello', protocol: 1, version: '1', user: 'north', id: 'AAAA' };
    const share = Buffer.alloc(32, 9).toString('base64');
    for (let count = 0; count < 500; count += 1) {
      const step = { ...hello, id: Buffer.from(String(count)).toString('base64'), share };
      const said = [
        Buffer.from([LOGIN, ...Buffer.from(JSON.stringify(step))]),
        Buffer.alloc(60, 2),
        Buffer.from('garbage'),
      ];
      for (const bytes of said) world.bus.say({ syncId: 2, up: true, bytes });
    }
    await world.pass(1_000);
    world.bus.man = undefined;
    return answers;
  };
  expect(await flood()).toBeLessThan(60);
  await north.enrol(7, named('Gus'));
  expect(await north.sync(), 'the session goes on').toBeUndefined();
  expect(await world.hq.contents()).toHaveProperty('7');
  expect(Object.keys(before)).toEqual([]);
  vi.spyOn(Bucket.prototype, 'take').mockReturnValue(true);
  expect(await flood(), 'without a limit').toBeGreaterThan(900);
});
