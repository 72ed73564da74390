import { globSync, readFileSync } from 'node:fs';
import { sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

const report = process.env['WHORL_TEST_REPORT'];

// Processes that tests start need not compile what another one has.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('.cache/tests', import.meta.url));

/** Small files that take long. */
const LONG = /sites-over-\w+\.test\.ts$|\/simulation\/.*\.test\.ts$|\/powerloss\/chain\.test\.ts$/;

/** Vitest begins with large files; those that take long go before them, or the end of a run would wait for one. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const takesLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(takesLong), ...sorted.filter((file) => !takesLong(file))];
  }
}

/** What holds wherever tests run. */
export const SHARED = {
  // A machine may have much else to do.
  expect: { poll: { timeout: 10_000 } },
  pool: 'forks',
  // Two for each core of a small machine: most tests wait for processes and for time half of theirs.
  maxWorkers: 4,
  sequence: { sequencer: LongestFirst },
  testTimeout: 30_000,
  hookTimeout: 30_000,
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

const TESTS = '*/src/**/*.test.ts';

/** Files that put something else in a module's place: nobody may have loaded it before, or load it after them. */
const REPLACING = globSync(TESTS)
  .filter((file) => /\bvi\.(?:do)?mock\(/i.test(readFileSync(file, 'utf8')))
  // Patterns have slashes on Windows, too.
  .map((file) => file.replaceAll(sep, '/'));

export default defineConfig({
  test: {
    ...SHARED,
    projects: [
      // Starting a process for each file, and loading everything there again, took half of the time.
      { extends: true, test: { name: 'together', isolate: false, include: [TESTS], exclude: REPLACING } },
      { extends: true, test: { name: 'alone', include: REPLACING } },
    ],
  },
});
