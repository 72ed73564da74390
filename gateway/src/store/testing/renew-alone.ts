import { openStore } from '../open.ts';
import { databaseOf } from './place.ts';

// A process to be killed: renews the data keys of the data directory that it is given, and tells each step.
const [, , data = ''] = process.argv;
const store = openStore({ data, database: databaseOf(data) });
await store.vault.beginRenewal();
for (;;) {
  process.stdout.write('step\n');
  const { renewing } = await store.vault.status();
  if (renewing === undefined) break;
  await store.vault.renew(renewing.done, 9);
}
await store.close();
