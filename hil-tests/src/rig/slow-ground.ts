import { existsSync } from 'node:fs';
import { machineInRealTime } from '@whorl/gateway/store/ground';
import type { Connection, Ground } from '@whorl/gateway';

/** How often a commit that is held looks whether it may go on, milliseconds. */
const LOOK_MS = 10;

/** Beside a database: as long as this file is there, each commit takes as if the disk did. */
export function holdFile(database: string): string {
  return `${database}.hold`;
}

/** This machine with a disk that takes its time: the thread that commits stands still meanwhile, as it does in a sync. */
export const ground: Ground = { ...machineInRealTime, connect: slowly };

function slowly(path: string): Connection {
  const connection = machineInRealTime.connect(path);
  const prepare = connection.prepare.bind(connection);
  const still = new Int32Array(new SharedArrayBuffer(4));
  return Object.assign(connection, {
    prepare: (sql: string) => {
      const statement = prepare(sql);
      if (sql !== 'COMMIT') return statement;
      const run = statement.run.bind(statement);
      return Object.assign(statement, {
        run: () => {
          while (existsSync(holdFile(path))) Atomics.wait(still, 0, 0, LOOK_MS);
          return run();
        },
      });
    },
  });
}
