import { codeOf } from '@whorl/protocol';
import { expect, test } from 'vitest';
import type { Role } from '../settings/roles.ts';
import { needsCode, needsOpenList, needsRole } from './beforehand.ts';
import type { Client } from './client.ts';

const OPEN = { set: true, open: 1 };

function gateway(role: Role, site: string, lock?: object): Pick<Client, 'get'> {
  const answers: Record<string, unknown> = {
    '/me': { name: 'ada', role },
    '/sites': { role: site, name: 'hq', aside: 0, ...(lock === undefined ? {} : { lock }) },
  };
  return { get: <T>(path: string) => Promise.resolve(answers[path] as T) };
}

const refusal = (work: Promise<void>): Promise<string | undefined> => work.then(() => undefined, codeOf);

test('S8 who may not change the list of satellites is told so before a password is asked for', async () => {
  expect(await refusal(needsOpenList(gateway('installer', 'master', OPEN)))).toBe('AUTH_ROLE');
  expect(await refusal(needsOpenList(gateway('admin', 'satellite', OPEN)))).toBe('SITES_ROLE');
  expect(await refusal(needsOpenList(gateway('admin', 'standalone')))).toBe('SITES_ROLE');
  expect(await refusal(needsOpenList(gateway('admin', 'master', { set: false })))).toBe('SITES_CODE_NONE');
  expect(await refusal(needsOpenList(gateway('admin', 'master', { set: true })))).toBe('SITES_LOCKED');
  expect(await refusal(needsOpenList(gateway('admin', 'master', OPEN)))).toBeUndefined();
});

test('S8 a code that would not be looked at is not asked for', async () => {
  expect(await refusal(needsCode(gateway('operator', 'master', { set: true })))).toBe('AUTH_ROLE');
  expect(await refusal(needsCode(gateway('admin', 'standalone')))).toBe('SITES_ROLE');
  expect(await refusal(needsCode(gateway('admin', 'satellite', { set: false })))).toBe('SITES_CODE_NONE');
  expect(await refusal(needsCode(gateway('admin', 'master', { set: true, waitMs: 9000 })))).toBe(
    'SITES_CODE_RATE',
  );
  expect(await refusal(needsCode(gateway('installer', 'satellite', { set: true })))).toBeUndefined();
});

test('G6 a role is enough or it is not', async () => {
  expect(await refusal(needsRole(gateway('viewer', 'master'), 'operator'))).toBe('AUTH_ROLE');
  expect(await refusal(needsRole(gateway('admin', 'master'), 'operator'))).toBeUndefined();
});
