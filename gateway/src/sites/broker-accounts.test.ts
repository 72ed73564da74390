import { pbkdf2Sync } from 'node:crypto';
import { seededRandom } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { BROKER_KINDS, brokerFiles, masterAccount, siteAccount } from './broker-accounts.ts';

const PLACE = { directory: '/etc/whorl', port: 8883, cert: '/etc/cert', key: '/etc/key' };
const HQ = masterAccount('hq', { user: 'headquarters', password: 'the password of hq' });
const NORTH = siteAccount('hq', 2, { user: 'north', password: 'the password of north' });

test.each(BROKER_KINDS)('S12 no password stands in the files for %s', (kind) => {
  const files = brokerFiles(kind, [HQ, NORTH], PLACE, seededRandom(1));
  const all = files.map(({ text }) => text).join();
  expect(all).toContain('north');
  for (const { password } of [HQ, NORTH])
    for (const form of ['utf8', 'base64', 'hex'] as const)
      expect(all).not.toContain(Buffer.from(password).toString(form));
});

test('S12 Mosquitto’s files hold the hash of each password, and who may do what', () => {
  const files = new Map(
    brokerFiles('mosquitto', [HQ, NORTH], PLACE, seededRandom(1)).map(({ name, text }) => [name, text]),
  );
  expect(files.get('whorl.acl')).toContain(
    'user north\ntopic write whorl-sites/hq/2/up\ntopic write whorl-sites/hq/2/state\ntopic read whorl-sites/hq/2/down\n',
  );
  const [, kind, count, salt = '', digest] =
    /^north:(\$7)\$(\d+)\$(.+)\$(.+)$/m.exec(files.get('whorl.passwords') ?? '') ?? [];
  expect(kind).toBe('$7');
  const again = pbkdf2Sync(NORTH.password, Buffer.from(salt, 'base64'), Number(count), 64, 'sha512');
  expect(digest).toBe(again.toString('base64'));
});

test('S12 what would change the meaning of a broker’s files is refused', () => {
  const random = seededRandom(1);
  const named = (user: string) => siteAccount('hq', 3, { user, password: 'x' });
  for (const user of ['north\ntopic readwrite #', 'a:b', '', 'north'])
    expect(() => brokerFiles('mosquitto', [NORTH, named(user)], PLACE, random)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  const place = { ...PLACE, cert: '/x\nallow_anonymous true' };
  expect(() => brokerFiles('mosquitto', [NORTH], place, random)).toThrow('cannot hold');
});
