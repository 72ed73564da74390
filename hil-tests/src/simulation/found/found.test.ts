import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runProgramme } from '../programme.ts';
import { programmeOfScript } from '../script.ts';
import { allKept } from './kept.ts';

const BITTEN = fileURLToPath(new URL('../../mutants/bitten.ts', import.meta.url));
const kept = allKept();

test.each(kept)('what the simulation found stays found: $found', { timeout: 30_000 }, async ({ script }) => {
  await runProgramme(programmeOfScript(script));
});

test.concurrent.each(kept.filter(({ mutant }) => mutant !== undefined))(
  'it would be found again: $found',
  { timeout: 180_000 },
  async ({ path }) => {
    await expect(promisify(execFile)(process.execPath, [BITTEN, path])).rejects.toThrow(/Error: seed \d+: /);
  },
);
