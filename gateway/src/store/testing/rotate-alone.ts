import { openStore } from '../open.ts';
import { databaseOf } from './place.ts';
import { rotateAll } from './rotate.ts';

// A process to be killed: changes the master key of the data directory that it is given, and tells each step.
const [, , data = ''] = process.argv;
const store = openStore({ data, database: databaseOf(data) });
await rotateAll(store.vault, () => {
  process.stdout.write('step\n');
});
await store.close();
