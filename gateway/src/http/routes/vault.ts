import { z } from 'zod';
import { startRotation } from '../../jobs/rotation.ts';
import { inWords } from '../../store/master-key.ts';
import type { MasterView, VaultStatus } from '../../store/vault-store.ts';
import { jobSchema } from '../job-schema.ts';
import { route } from '../route.ts';
import { milliseconds } from '../schemas.ts';

const masterSchema = z.strictObject({
  number: z.int().describe('Counts up with each change.'),
  kind: z.enum(['credential', 'variable', 'file', 'memory']),
  place: z.string().describe('Path, or name of the variable.'),
  since: milliseconds.optional().describe('Since when it is in use; absent for the first.'),
  keys: z.int().describe('Data keys that are sealed under it.'),
  toMove: z.boolean().describe('Whether it lies where the next one is given.'),
});

const vaultSchema = z.strictObject({
  master: masterSchema.describe('The master key that data keys are sealed under.'),
  next: masterSchema.optional().describe('The one that it is being changed for.'),
  renewing: z
    .strictObject({ done: z.int(), left: z.int() })
    .optional()
    .describe('People who have been, and are yet to be, sealed anew under new data keys.'),
  former: z.array(z.string()).readonly().describe('Files of former master keys that may still be needed.'),
  unreached: z
    .array(z.string())
    .readonly()
    .describe('Directories of backups, and databases put aside, that still need a former one.'),
  todo: z.array(z.string()).describe('What is left for people to do, in plain words.'),
});
export type VaultView = z.infer<typeof vaultSchema>;

/** The master key: never itself, only how it stands. */
export const vaultRoutes = [
  route({
    method: 'GET',
    path: '/vault',
    name: 'vault.status',
    role: 'admin',
    doc: 'How the master key stands: its number, where it comes from, since when, and whether it is being changed.',
    answer: vaultSchema,
    handle: async (_asked, { store }) => {
      const status = await store.vault.status();
      return { ...status, todo: todoOf(status) };
    },
  }),
  route({
    method: 'POST',
    path: '/vault/rotate',
    name: 'vault.rotate',
    role: 'admin',
    doc:
      'Changes the master key for a new one while work goes on, as a job; goes on where that was cut off. Cancelled, it ' +
      'rests with both keys in use, and goes on when it is asked again or the gateway starts.',
    body: z.strictObject({
      dataKeys: z.boolean().optional().describe('Whether to renew everybody’s data key too.'),
    }),
    answer: jobSchema,
    status: 202,
    handle: ({ caller, place, body }, tools) => startRotation(tools, { who: caller.name, place }, body),
  }),
];

function todoOf({ master, next, renewing, former, unreached }: VaultStatus): string[] {
  const kept = former.length === 0 ? 'the old master key' : former.join(', ');
  return [
    ...(next === undefined
      ? toMove(master)
      : [
          `The master key is being changed: keep both, the one in ${placeOf(master)} and the one in ${placeOf(next)}, ` +
            'until it is over. If it rests, `whorl vault rotate` goes on.',
        ]),
    ...(renewing === undefined || next !== undefined
      ? []
      : [
          `Data keys are being renewed: ${renewing.done} are, ${renewing.left} are left. If it rests, \`whorl vault rotate\` ` +
            'goes on.',
        ]),
    ...(unreached.length === 0
      ? []
      : [
          `Keep ${kept}: it could not be changed in ${unreached.join(', ')}. That is tried again with each backup and ` +
            'each start.',
        ]),
  ];
}

function toMove(master: MasterView): string[] {
  const { kind, place } = master;
  if (!master.toMove || kind === 'file') return [];
  const present = place.replace(/(-next|_NEXT)$/, '');
  return [
    `The new key is in use: put it where the old one is (${inWords({ kind, name: present, next: false })}) before the ` +
      `next start, and take ${placeOf(master)} away. The old key can be removed now.`,
  ];
}

function placeOf({ kind, place, toMove: next }: MasterView): string {
  return inWords({ kind, name: place, next });
}
