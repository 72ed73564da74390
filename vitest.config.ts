import process from 'node:process';
import { defineConfig } from 'vitest/config';

const report = process.env['WHORL_TEST_REPORT'];

export default defineConfig({
  test: {
    // A machine may have much else to do.
    expect: { poll: { timeout: 10_000 } },
    include: ['*/src/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 15_000,
    hookTimeout: 15_000,
    teardownTimeout: 5_000,
    passWithNoTests: false,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    reporters: [
      'default',
      './tools/left-out.mjs',
      ...(report === undefined ? [] : [['json', { outputFile: report }] satisfies [string, object]]),
    ],
  },
});
