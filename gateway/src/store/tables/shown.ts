import { decodeField, FIELDS } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';

/** The name, for the column that lists and searches. */
export function shownName(record: UserRecord): string {
  const value = record.fields.get(FIELDS.name.number);
  return value === undefined ? '' : decodeField('name', value);
}

/** The access groups, likewise. */
export function shownGroups(record: UserRecord): readonly number[] {
  const value = record.fields.get(FIELDS.groups.number);
  return value === undefined ? [] : decodeField('groups', value);
}
