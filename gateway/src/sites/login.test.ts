import { codeOf, seededRandom, VirtualClock } from '@whorl/protocol';
import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { SiteRow } from '../store/sites.ts';
import { Admission, confirmed, offering, refuseUnknown } from './admission.ts';
import type { Admitted } from './admission.ts';
import { Channel } from './channel.ts';
import { Login, tokenName } from './login.ts';
import { readLogin, SITES_PROTOCOL, writeLogin } from './login-words.ts';
import { brokerPassword, loginCode, verifierOf } from './secrets.ts';

const derive = (password: string, salt: Uint8Array): Promise<Uint8Array> =>
  Promise.resolve(hash('sha256', Buffer.concat([Buffer.from(password), salt]), 'buffer'));
const NAME = { master: 'hq', syncId: 7, user: 'north' };
const random = seededRandom(5);

/** A master with one site in its list, and machines that log in as that site. */
class Desk {
  readonly clock = new VirtualClock();
  readonly admission = new Admission({
    master: 'hq',
    random,
    clock: this.clock,
    protocol: SITES_PROTOCOL,
    placed: () => undefined,
  });
  site: SiteRow;

  constructor(verifier: Uint8Array) {
    this.site = { syncId: 7, name: 'north', url: '', user: 'north', verifier };
  }

  static async open(): Promise<Desk> {
    return new Desk(await verifierOf(derive, 'correct horse battery', NAME));
  }

  /** What a whole login comes to: both ends of a session, or the code of the refusal at both ends. */
  async login(
    hardware: string,
    token?: Uint8Array,
    password = 'correct horse battery',
    unknown?: Uint8Array,
  ): Promise<
    { here: Channel; there: Channel; token: Uint8Array } | { here: string; there: string | undefined }
  > {
    const verifier = await verifierOf(derive, password, NAME);
    const machine = { hardware: hardware.padEnd(32, '0'), host: `machine ${hardware}` };
    const login = new Login({
      ...{ name: NAME, version: '1', protocol: SITES_PROTOCOL, verifier, random },
      machine: unknown === undefined ? machine : { ...machine, unknown: tokenName(unknown) },
      token,
    });
    let said = login.begin();
    let admitted: Admitted | undefined;
    try {
      for (;;) {
        admitted = this.admission.take(this.site, said);
        if (admitted === undefined) throw new Error('no answer');
        const next = login.take(admitted.answer);
        if (next === undefined) throw new Error('nothing to say');
        if (next instanceof Channel) {
          const { session } = admitted;
          if (session === undefined) throw new Error('no session');
          const { machine, token: used } = session;
          const binding = offering(this.site.binding, machine, { now: 0, random, token: used });
          this.site = { ...this.site, binding };
          return { here: next, there: session.channel, token: binding.next };
        }
        said = next;
      }
    } catch (error) {
      return { here: codeOf(error) ?? String(error), there: admitted?.refused?.code };
    }
  }

  /** A login whose token the satellite has stored. */
  async kept(hardware: string, token?: Uint8Array): Promise<Uint8Array> {
    const session = await this.login(hardware, token);
    if (!('token' in session)) throw new Error(session.here);
    if (this.site.binding !== undefined) this.site = { ...this.site, binding: confirmed(this.site.binding) };
    return session.token;
  }
}

test('S3 the first login by password gives a session and a token, the next one needs no password', async () => {
  const desk = await Desk.open();
  const first = await desk.login('a');
  if (!('token' in first)) throw new Error(first.here);
  const sealed = first.here.seal(Buffer.from('templates'));
  expect(Buffer.from(sealed).includes('templates')).toBe(false);
  expect(Buffer.from(first.there.open(sealed) ?? []).toString()).toBe('templates');
  expect(first.there.open(sealed), 'said again').toBeUndefined();
  expect(await desk.login('a', first.token, 'forgotten since then')).toHaveProperty('token');
});

test('S3 a wrong password, a second machine and a version are each refused with a code, the same at both ends', async () => {
  const desk = await Desk.open();
  expect(await desk.login('a', undefined, 'wrong horse battery')).toEqual({
    here: 'SITES_PASSWORD',
    there: 'SITES_PASSWORD',
  });
  await desk.kept('a');
  expect(await desk.login('b')).toEqual({ here: 'SITES_CLASH', there: 'SITES_CLASH' });
  const login = new Login({
    ...{ name: NAME, version: '1', protocol: SITES_PROTOCOL, verifier: desk.site.verifier, random },
    machine: { hardware: '0'.repeat(32), host: '' },
  });
  const hello = readLogin(login.begin());
  if (hello.step !== 'hello') throw new Error('no hello');
  const answer = desk.admission.take(desk.site, writeLogin({ ...hello, protocol: 2 }));
  expect(answer?.refused?.code).toBe('SITES_VERSION');
  expect(() => login.take(answer?.answer ?? new Uint8Array())).toThrow('version 2');
  expect(refuseUnknown(9, login.begin())?.refused?.code).toBe('SITES_UNKNOWN');
});

test('S3 guessing passwords is slowed down', async () => {
  const desk = await Desk.open();
  for (let i = 0; i < 5; i += 1) await desk.login('a', undefined, `guess number ${i}`);
  expect(await desk.login('a')).toEqual({ here: 'SITES_RATE', there: 'SITES_RATE' });
  await desk.clock.run({ forMs: 60_000 });
  expect(await desk.login('a')).toHaveProperty('token');
});

test('S3 a copied data directory is noticed as soon as both machines have logged in again', async () => {
  const desk = await Desk.open();
  const token = await desk.kept('a');
  const original = await desk.kept('a', token);
  expect(await desk.login('a', token), 'the copy').toEqual({ here: 'SITES_CLONE', there: 'SITES_CLONE' });
  expect(await desk.login('a', original)).toHaveProperty('token');
});

test('S3 a copy is noticed at a master that was restored, too, which knows no token of either machine', async () => {
  const desk = await Desk.open();
  const stood = desk.site;
  const token = await desk.kept('a');
  desk.site = stood;
  const refused = { here: 'SITES_TOKEN', there: 'SITES_TOKEN' };
  expect(await desk.login('a', token)).toEqual(refused);
  const first = await desk.login('a', undefined, undefined, token);
  if (!('token' in first) || desk.site.binding === undefined) throw new Error('refused');
  expect(await desk.login('a', token), 'not confirmed: the machine may come again').toEqual(refused);
  const machine = { hardware: 'a'.padEnd(32, '0'), host: '', unknown: tokenName(token) };
  desk.site = { ...desk.site, binding: confirmed(desk.site.binding, machine) };
  expect(await desk.login('a', token), 'the copy').toEqual({ here: 'SITES_CLONE', there: 'SITES_CLONE' });
  expect(await desk.login('a', first.token)).toHaveProperty('token');
});

test('S3 two copies that both got the token that was offered are told apart one login later', async () => {
  const desk = await Desk.open();
  const token = await desk.kept('a');
  const [one, two] = [await desk.login('a', token), await desk.login('a', token)];
  if (!('token' in one) || !('token' in two)) throw new Error('refused');
  expect(two.token).toEqual(one.token);
  const next = await desk.kept('a', one.token);
  expect(await desk.login('a', two.token)).toMatchObject({ here: 'SITES_CLONE' });
  expect(await desk.login('a', next)).toHaveProperty('token');
});

test('S3 an answer that got lost costs nothing: the token before is good until the next one is confirmed', async () => {
  const desk = await Desk.open();
  const token = await desk.kept('a');
  for (let i = 0; i < 3; i += 1) expect(await desk.login('a', token)).toHaveProperty('token');
});

test('S3 what travels in a login tells nothing that a password could be tried on, and is worth nothing again', async () => {
  const desk = await Desk.open();
  const { verifier } = desk.site;
  const login = new Login({
    ...{ name: NAME, version: '1', protocol: SITES_PROTOCOL, verifier, random },
    machine: { hardware: 'a'.repeat(32), host: 'pc' },
  });
  const hello = login.begin();
  const share = desk.admission.take(desk.site, hello);
  const proof = login.take(share?.answer ?? new Uint8Array());
  if (!(proof instanceof Uint8Array)) throw new Error('no proof');
  expect(desk.admission.take(desk.site, proof)?.session).toBeDefined();
  const said = Buffer.concat([hello, share?.answer ?? new Uint8Array(), proof]);
  for (const secret of [verifier, loginCode(verifier), Buffer.from(brokerPassword(verifier), 'base64url')])
    for (const form of ['base64', 'hex'] as const)
      expect(said.includes(Buffer.from(secret).toString(form))).toBe(false);
  expect(desk.admission.take(desk.site, proof)?.session, 'the same proof again').toBeUndefined();
});

test('what was changed on the way is refused, and damages nothing', async () => {
  const desk = await Desk.open();
  const session = await desk.login('a');
  if (!('token' in session)) throw new Error(session.here);
  const sealed = session.here.seal(Buffer.from('once'));
  const forged = Uint8Array.from(sealed);
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  expect(() => session.there.open(forged)).toThrow(expect.objectContaining({ code: 'FRAME_FORGED' }));
  expect(Buffer.from(session.there.open(sealed) ?? []).toString()).toBe('once');
});
