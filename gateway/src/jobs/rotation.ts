import type { Audit } from '../access/audit.ts';
import type { JobRow } from '../store/jobs.ts';
import type { Operations } from '../sync/operations.ts';
import type { RotationWish } from '../sync/rotating.ts';
import type { Jobs } from './jobs.ts';

/**
 * Changes the master key, and data keys where that is wished, or goes on where that was cut off, as a job.
 * @param by who asked for it, and from where
 * @throws WhorlError VAULT_*, JOB_MANY, STORE_*
 */
export async function startRotation(
  { jobs, audit, operations }: { jobs: Jobs; audit: Audit; operations: Operations },
  by: { readonly who: string; readonly place: string },
  wish: RotationWish = {},
): Promise<JobRow> {
  const { master, next, renewing } = await operations.beginRotation(wish);
  const keys = next === undefined ? 0 : master.keys + next.keys;
  const total = keys + (renewing?.done ?? 0) + (renewing?.left ?? 0);
  return jobs.start({ kind: 'rotate', who: by.who, total }, async (control) => {
    const { master: present, next: coming, renewing: left, unreached } = await operations.rotate(control);
    const { number, kind: from, keys } = present;
    const told = { number, from, keys, unreached: unreached.length, renewed: renewing !== undefined };
    if (coming !== undefined || left !== undefined) return { ...told, goesOn: true };
    const deed = { deed: 'vault.rotated', target: `master key ${number}`, detail: told };
    await audit.note({ ...by, ...deed }, 'done');
    return told;
  });
}
