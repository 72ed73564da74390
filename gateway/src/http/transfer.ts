import { codeOf, decodeField, describe, fieldName, textOf, WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import type { JobControl } from '../jobs/jobs.ts';
import type { Store } from '../store/store.ts';
import type { Operations, UserEdit, UserImport } from '../sync/operations.ts';
import { editOf, userEditSchema } from './views.ts';

const id = z.int().min(1).max(0xffff_ffff);

/** Users to be brought in: as people write them, or whole records from an export with templates. */
export const importSchema = z.strictObject({
  users: z
    .array(
      userEditSchema.omit({ clear: true }).extend({ id, clear: z.array(z.string()).length(0).default([]) }),
    )
    .default([]),
  records: z
    .array(z.strictObject({ id, fields: z.record(z.string().regex(/^\d+$/), z.base64()) }))
    .default([]),
});

export const importResultSchema = z.strictObject({
  added: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  failed: z.array(z.strictObject({ id: z.int(), code: z.string(), message: z.string() })).readonly(),
});
type ImportResult = z.infer<typeof importResultSchema>;

/** Checks all of an import before the first is stored. @throws WhorlError IMPORT_ROW */
export function preparedImport(body: z.output<typeof importSchema>): readonly UserImport[] {
  return [
    ...body.users.map((user) => ({ id: user.id, edit: editOf(user) })),
    ...body.records.map((record) => ({ id: record.id, edit: recordEdit(record) })),
  ];
}

/** Adds users, or changes those who are there; ends with what was done so far when `control` says so. */
export async function importUsers(
  operations: Operations,
  store: Store,
  edits: readonly UserImport[],
  control: JobControl,
): Promise<ImportResult> {
  const result = {
    added: 0,
    changed: 0,
    unchanged: 0,
    failed: [] as { id: number; code: string; message: string }[],
  };
  for (const [index, { id: user, edit }] of edits.entries()) {
    await control.progress(index);
    if (control.signal.aborted) return result;
    try {
      const held = await store.user(user);
      if (held === undefined) {
        await operations.addUser(user, edit);
        result.added += 1;
      } else if ((await operations.editUser(user, edit)) === held.version) result.unchanged += 1;
      else result.changed += 1;
    } catch (error) {
      result.failed.push({ id: user, code: codeOf(error) ?? 'INTERNAL', message: textOf(error) });
    }
  }
  await control.progress(edits.length);
  return result;
}

/** @throws WhorlError IMPORT_ROW */
function recordEdit(record: z.output<typeof importSchema>['records'][number]): UserEdit {
  const set: Record<string, unknown> = {};
  for (const [number, value] of Object.entries(record.fields)) {
    const name = fieldName(Number(number));
    if (name === undefined) continue;
    try {
      set[name] = decodeField(name, Buffer.from(value, 'base64'));
    } catch (cause) {
      throw new WhorlError('IMPORT_ROW', `user ${record.id}: ${name}: ${describe(cause)}`, { cause });
    }
  }
  return { set, clear: [] };
}
