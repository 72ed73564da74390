import { parentPort, workerData } from 'node:worker_threads';
import { translated } from '../sqlite-errors.ts';
import { sentError } from '../thread/messages.ts';
import { PostgresConnection } from './connection.ts';
import type { CopyPlan } from './connection.ts';

// A copy of a large database takes its time, in which whoever works on it shall not wait.

const { settings, path } = workerData as CopyPlan;
const connection = new PostgresConnection(settings);
try {
  translated(path, () => {
    connection.copyHere(path);
  });
} catch (error) {
  parentPort?.postMessage(sentError(error));
} finally {
  connection.close();
}
