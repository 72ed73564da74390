import process from 'node:process';
import { defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';

const report = process.env['WHORL_TEST_REPORT'];

/** What holds wherever tests run. */
export const SHARED = {
  // A machine may have much else to do.
  expect: { poll: { timeout: 10_000 } },
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
} satisfies ViteUserConfig['test'];

export default defineConfig({
  test: {
    ...SHARED,
    include: ['*/src/**/*.test.ts'],
  },
});
