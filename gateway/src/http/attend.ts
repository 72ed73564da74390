import type { ServerResponse } from 'node:http';
import type { Clock } from '@whorl/protocol';
import type { Access, Caller } from '../access/access.ts';
import { mayDo } from '../settings/roles.ts';
import type { Role } from '../settings/roles.ts';

/** Longest between two looks, milliseconds. */
const LOOK_MS = 60_000;
/** What was written already may still be read so long, milliseconds. */
const GRACE_MS = 5000;

/**
 * Ends an answer without end as soon as who asked for it may not any more: the session or token has expired or was
 * revoked, the account is gone or may do less. A session that is renewed meanwhile goes on.
 */
export function attend(parts: {
  readonly raw: ServerResponse;
  readonly caller: Caller;
  readonly role: Role | 'anyone';
  readonly access: Access;
  readonly clock: Clock;
}): void {
  const { raw, caller, role, access, clock } = parts;
  const { token } = caller;
  if (token === undefined || role === 'anyone') return;
  let cancel = (): void => undefined;
  const look = async (): Promise<void> => {
    cancel();
    // What cannot be looked up is not granted.
    const standing = await access.standing(token).catch(() => undefined);
    if (raw.closed) return;
    const leftMs = (standing?.expires ?? 0) - clock.wallTime();
    if (standing !== undefined && leftMs > 0 && mayDo(standing.role, role)) {
      cancel();
      cancel = clock.after(Math.min(leftMs, LOOK_MS), () => void look());
      return;
    }
    raw.end();
    cancel = clock.after(GRACE_MS, () => void raw.destroy());
  };
  const forget = access.watch(() => void look());
  raw.once('close', () => {
    forget();
    cancel();
  });
  void look();
}
