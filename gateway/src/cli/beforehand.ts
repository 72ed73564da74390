import { WhorlError } from '@whorl/protocol';
import { mayDo } from '../settings/roles.ts';
import type { Role } from '../settings/roles.ts';
import type { SitesStatus } from '../sites/operations.ts';
import type { Client } from './client.ts';

// What would be refused whatever somebody types is told before they are asked to type it. The gateway checks it again.

/** @throws WhorlError AUTH_ROLE, AnswerError */
export async function needsRole(client: Pick<Client, 'get'>, role: Role): Promise<void> {
  const me = await client.get<{ readonly name: string; readonly role: Role }>('/me');
  if (!mayDo(me.role, role))
    throw new WhorlError('AUTH_ROLE', `this is for role ${role}, ${me.name} has ${me.role}`);
}

/** That the lock of the sync settings can be opened. @throws WhorlError SITES_*, AUTH_ROLE, AnswerError */
export async function needsCode(client: Pick<Client, 'get'>): Promise<void> {
  await needsRole(client, 'installer');
  const { set, waitMs = 0 } = lockOf(await client.get<SitesStatus>('/sites'));
  if (!set) throw new WhorlError('SITES_CODE_NONE', 'no code is set for the sync settings of this gateway');
  if (waitMs > 0)
    throw new WhorlError(
      'SITES_CODE_RATE',
      `after wrong codes the next one in ${Math.ceil(waitMs / 1000)} s`,
    );
}

/** That the list of satellites may be changed. @throws WhorlError SITES_*, AUTH_ROLE, AnswerError */
export async function needsOpenList(client: Pick<Client, 'get'>): Promise<void> {
  await needsRole(client, 'admin');
  const status = await client.get<SitesStatus>('/sites');
  if (status.role !== 'master')
    throw new WhorlError(
      'SITES_ROLE',
      `the list of satellites is kept at a master; this gateway is ${status.role}`,
    );
  const { set, open } = lockOf(status);
  if (open !== undefined) return;
  if (!set) throw new WhorlError('SITES_CODE_NONE', 'no code is set for the sync settings of this gateway');
  throw new WhorlError('SITES_LOCKED', 'the sync settings are locked for you');
}

/** Alone, a gateway has no settings of a sync. */
function lockOf({ lock, role }: SitesStatus): NonNullable<SitesStatus['lock']> {
  if (lock !== undefined) return lock;
  throw new WhorlError('SITES_ROLE', `there is nothing to lock; this gateway is ${role}`);
}
