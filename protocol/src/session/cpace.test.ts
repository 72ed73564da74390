import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { thrownCode } from '../testing.ts';
import { Cpace } from './cpace.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

/** Test vector of the draft for ristretto255 and SHA-512. */
const VECTOR = {
  code: Buffer.from('Password'),
  channel: bytes('0a41696e69746961746f720a42726573706f6e646572'),
  id: bytes('7e4b4791d6a8ef019b936c79fb7f2c57'),
  a: {
    secret: 'da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08',
    share: '383a85dd236978f17f8c8545b50dabc52a39fcdab2cf8bc531ce040ff77ca82d',
    note: Buffer.from('ADa'),
  },
  b: {
    secret: 'd2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d',
    share: 'a6206309c0e8e5f579295e35997ac4300ab3fecec3c17f7b604f3e698fa1383c',
    note: Buffer.from('ADb'),
  },
  key: 'e91ccb2c0f5e0d0993a33956e3be59754f3f2b07db57631f5394452ea2e7b4354674eb1f5686c078462bf83bec72e8743df440108e638f3526d9b90e85be096f',
};

function ends(codeA = '123456', codeB = codeA): { a: Cpace; b: Cpace } {
  const id = new Uint8Array(randomBytes(16));
  const channel = Buffer.from('Whorl 1 7 WX-000007');
  const end = (code: string): Cpace =>
    new Cpace({ code: Buffer.from(code), channel, id, secret: new Uint8Array(randomBytes(32)) });
  return { a: end(codeA), b: end(codeB) };
}

test('G3 CPace is the published one, share by share', () => {
  const { code, channel, id } = VECTOR;
  const a = new Cpace({ code, channel, id, secret: bytes(VECTOR.a.secret) });
  const b = new Cpace({ code, channel, id, secret: bytes(VECTOR.b.secret) });
  expect(hex(a.share)).toBe(VECTOR.a.share);
  expect(hex(b.share)).toBe(VECTOR.b.share);
  const atA = a.key({ share: b.share, note: VECTOR.b.note }, { begins: true, note: VECTOR.a.note });
  const atB = b.key({ share: a.share, note: VECTOR.a.note }, { begins: false, note: VECTOR.b.note });
  expect(hex(atA)).toBe(VECTOR.key);
  expect(hex(atB)).toBe(VECTOR.key);
});

test('G3 the same code gives the same key, another one another key', () => {
  const same = ends();
  expect(same.a.key(same.b, { begins: true })).toEqual(same.b.key(same.a, { begins: false }));
  const other = ends('123456', '123457');
  expect(other.a.key(other.b, { begins: true })).not.toEqual(other.b.key(other.a, { begins: false }));
});

test.each([
  ['no point', '2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c'],
  ['the neutral point', '00'.repeat(32)],
  ['one that is too short', '00'.repeat(31)],
])('G3 a share that is %s is refused', (_, share) => {
  expect(thrownCode(() => ends().a.key({ share: bytes(share) }, { begins: true }))).toBe('PAIRING_SHARE');
});
