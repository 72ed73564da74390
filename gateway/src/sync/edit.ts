import { accessGroups, encodeField, FIELD_NAMES, FIELDS, recordOf } from '@whorl/protocol';
import type { FieldName, FieldValue, UserRecord } from '@whorl/protocol';
import type { UserEdit } from './operations.ts';

/** A record with fields set and cleared. @throws WhorlError MESSAGE_RANGE */
export function edited(record: UserRecord, edit: UserEdit): UserRecord {
  const fields = new Map(record.fields);
  for (const name of edit.clear) fields.delete(FIELDS[name].number);
  for (const name of FIELD_NAMES) {
    const value = edit.set[name];
    if (value !== undefined) fields.set(FIELDS[name].number, encoded(name, value));
  }
  return recordOf(record.id, fields);
}

function encoded(name: FieldName, value: NonNullable<UserEdit['set'][FieldName]>): Uint8Array {
  if (name === 'groups') return encodeField('groups', accessGroups(value as FieldValue<'groups'>));
  return encodeField(name, value as FieldValue<typeof name>);
}
