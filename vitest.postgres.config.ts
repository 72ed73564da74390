import { defineConfig } from 'vitest/config';
import { SHARED } from './vitest.config.ts';

/** Tests that have nothing of SQLite in them, on PostgreSQL as well: the same files, the same expectations. */
export default defineConfig({
  test: {
    ...SHARED,
    // The server works while they wait.
    maxWorkers: 2,
    include: [
      'gateway/src/store/{store,untaken,backup,renewal,rotation}.test.ts',
      'gateway/src/store/tables/spill.test.ts',
      'gateway/src/sites/{sites,restored,erased}.test.ts',
      'gateway/src/access/audit.test.ts',
    ],
    globalSetup: ['gateway/src/store/testing/server.ts'],
    setupFiles: ['gateway/src/store/testing/on-postgres.ts'],
    testTimeout: 60_000,
  },
});
