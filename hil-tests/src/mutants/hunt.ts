import { argv, stdout } from 'node:process';
import { losePowerOften } from '../powerloss/chain.ts';
import { keep } from '../simulation/found/kept.ts';
import { backupProgramme, portableProgramme, usualProgramme } from '../simulation/plan.ts';
import type { Programme } from '../simulation/plan.ts';
import { ProgrammeError, runProgramme } from '../simulation/programme.ts';
import { shrunk, shrunkScript } from '../simulation/shrink.ts';
import { runCompany } from '../simulation/sites/company-run.ts';
import { shortProgramme } from '../simulation/sites/sizes.ts';

// Runs seeds from one to another until one finds something, and ends with code 1 then, or in whatever way the gateway ends it.

const LOSSES = 60;

const [, , by, first, most, mutant = '', keptAt] = argv;
for (let seed = Number(first); seed <= Number(most); seed += 1) {
  stdout.write(`${seed}\n`);
  if (by === 'powerloss') await losePowerOften({ seed, losses: LOSSES });
  else if (by === 'sites') await runCompany(shortProgramme(seed));
  else if (keptAt === undefined) await runProgramme(programmeOf(seed));
  else await runAndKeep(seed, keptAt);
}

function programmeOf(seed: number): Programme {
  if (by === 'portables') return portableProgramme(seed);
  return by === 'backups' ? backupProgramme(seed) : usualProgramme(seed);
}

/** What finds something is kept, as short as it can be. */
async function runAndKeep(seed: number, path: string): Promise<void> {
  const programme = programmeOf(seed);
  try {
    await runProgramme(programme);
  } catch (error) {
    if (!(error instanceof ProgrammeError)) throw error;
    const short = await shrunk(programme, error);
    if (!(short instanceof ProgrammeError)) throw error;
    keep(path, { found: mutant, mutant, script: await shrunkScript(short.script, short) });
    throw error;
  }
}
