import { openStore } from '../open.ts';

// A process to be killed: renews the data keys of the data directory that it is given, and tells each step.
const [, , data = ''] = process.argv;
const store = openStore({ data });
await store.vault.beginRenewal();
do process.stdout.write('step\n');
while ((await store.vault.renew(9)).count > 0);
await store.close();
