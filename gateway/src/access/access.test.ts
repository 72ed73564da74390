import { seededRandom, VirtualClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../store/open.ts';
import { Access } from './access.ts';

const PASSWORD = 'correct horse battery';
const MINUTE = 60_000;
const DAY = 86_400_000;

function start() {
  const clock = new VirtualClock();
  const store = openStore({ data: { memory: true } });
  onTestFinished(() => store.close());
  const access = new Access({ store: store.access, clock, random: seededRandom(1) });
  const pass = (forMs: number) => clock.run({ forMs });
  return { access, store, clock, pass };
}

test('G6 the first admin is made with the code that is shown, once; there is no other way in', async () => {
  const { access } = start();
  await expect(access.setUp('AAAA-AAAA-AAAA', 'ada', PASSWORD)).rejects.toMatchObject({ code: 'SETUP_CODE' });
  const code = await access.offerSetup();
  expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$/);
  await expect(access.setUp('AAAA-AAAA-AAAA', 'ada', PASSWORD)).rejects.toMatchObject({ code: 'SETUP_CODE' });
  await expect(access.setUp(code ?? '', 'ada', 'password')).rejects.toMatchObject({ code: 'PASSWORD_WEAK' });
  await access.setUp(code?.toLowerCase().replaceAll('-', ' ') ?? '', 'ada', PASSWORD);
  expect(await access.accounts()).toMatchObject([{ name: 'ada', role: 'admin' }]);
  await expect(access.setUp(code ?? '', 'eve', PASSWORD)).rejects.toMatchObject({ code: 'SETUP_DONE' });
  expect(await access.offerSetup()).toBeUndefined();
});

test('G6 after ten wrong codes no code is valid any more', async () => {
  const { access } = start();
  const code = await access.offerSetup();
  for (let n = 0; n < 10; n += 1)
    await expect(access.setUp('AAAA-AAAA-AAAA', 'ada', PASSWORD)).rejects.toMatchObject({
      code: 'SETUP_CODE',
    });
  await expect(access.setUp(code ?? '', 'ada', PASSWORD)).rejects.toMatchObject({ code: 'SETUP_CODE' });
});

test('G6 a session expires, is renewed once with each refresh token, and ends when a spent one comes again', async () => {
  const { access, pass } = start();
  await access.addAccount({ name: 'ada', role: 'operator', password: PASSWORD });
  const first = await access.login('ada', PASSWORD, 'here');
  expect(await access.callerOf(first.token)).toMatchObject({ name: 'ada', role: 'operator' });
  await pass(31 * MINUTE);
  await expect(access.callerOf(first.token)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  const second = await access.refresh(first.refresh);
  await expect(access.callerOf(first.token)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  expect(await access.callerOf(second.token)).toMatchObject({ name: 'ada' });
  await expect(access.refresh(first.refresh), 'only late').rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  expect(await access.callerOf(second.token)).toMatchObject({ name: 'ada' });
  await pass(MINUTE);
  await expect(access.refresh(first.refresh), 'stolen').rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  await expect(access.callerOf(second.token)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  await expect(access.refresh(second.refresh)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
});

test('G6 a refresh token that nobody used for a month is worth nothing', async () => {
  const { access, pass } = start();
  await access.addAccount({ name: 'ada', role: 'operator', password: PASSWORD });
  const { refresh } = await access.login('ada', PASSWORD, 'here');
  await pass(31 * DAY);
  await expect(access.refresh(refresh)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
});

test('G6 wrong name and wrong password are told apart by nobody', async () => {
  const { access } = start();
  await access.addAccount({ name: 'ada', role: 'operator', password: PASSWORD });
  const messages: string[] = [];
  for (const [name, password] of [
    ['ada', 'wrong'],
    ['eve', PASSWORD],
  ] as const)
    await access.login(name, password, 'here').catch((error: unknown) => messages.push(String(error)));
  expect(messages).toHaveLength(2);
  expect(new Set(messages).size).toBe(1);
});

test('G6 another password or role ends all sessions and tokens of an account; its removal too', async () => {
  const { access } = start();
  await access.addAccount({ name: 'root', role: 'admin', password: PASSWORD });
  await access.addAccount({ name: 'ada', role: 'installer', password: PASSWORD });
  const session = await access.login('ada', PASSWORD, 'here');
  const { token } = await access.makeToken({ account: 'ada', label: 'x', role: 'viewer', days: 1 });
  expect(await access.callerOf(token)).toMatchObject({ name: 'ada', role: 'viewer' });
  await access.changeAccount('ada', { role: 'viewer' });
  await expect(access.callerOf(session.token)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  await expect(access.callerOf(token)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  const again = await access.login('ada', PASSWORD, 'here');
  await access.removeAccount('ada');
  await expect(access.callerOf(again.token)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
  await expect(access.removeAccount('root')).rejects.toMatchObject({ code: 'ACCOUNT_LAST' });
  await expect(access.changeAccount('root', { role: 'viewer' })).rejects.toMatchObject({
    code: 'ACCOUNT_LAST',
  });
});

test('G6 a token may not do more than its account, and expires', async () => {
  const { access, pass } = start();
  await access.addAccount({ name: 'ada', role: 'operator', password: PASSWORD });
  const wish = { account: 'ada', label: 'x', days: 2 };
  await expect(access.makeToken({ ...wish, role: 'admin' })).rejects.toMatchObject({ code: 'AUTH_ROLE' });
  const { token } = await access.makeToken({ ...wish, role: 'operator' });
  await pass(DAY);
  expect(await access.callerOf(token)).toMatchObject({ role: 'operator' });
  await pass(DAY);
  await expect(access.callerOf(token)).rejects.toMatchObject({ code: 'AUTH_EXPIRED' });
});
