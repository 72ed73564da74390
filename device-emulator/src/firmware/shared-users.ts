import { recordDigest, WhorlError, writeRecord } from '@whorl/protocol';
import type { Capabilities, UserRecord } from '@whorl/protocol';
import { unheldFields } from './holding.ts';
import { entriesOf } from './journal.ts';
import type { Op } from './ops.ts';
import { UserTable } from './users.ts';
import type { SharedUsers } from './users.ts';

/** @throws WhorlError TERMINAL_CANNOT_HOLD */
export function shareUsers(records: Iterable<UserRecord>, capabilities: Capabilities): SharedUsers {
  const table = new UserTable();
  const ops: Op[] = [];
  for (const record of records) {
    const unheld = unheldFields(capabilities, record);
    if (unheld.length > 0)
      throw new WhorlError('TERMINAL_CANNOT_HOLD', `user ${record.id}: ${unheld.join(', ')}`);
    const held = { digest: recordDigest(record), bytes: writeRecord(record) };
    table.put(record.id, held);
    ops.push({ name: 'put', user: record.id, ...held });
  }
  return { table, entries: [Buffer.concat(entriesOf(ops))] };
}
