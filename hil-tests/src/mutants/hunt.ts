import { argv, stdout } from 'node:process';
import { losePowerOften } from '../powerloss/chain.ts';
import { portableProgramme, usualProgramme } from '../simulation/plan.ts';
import { runProgramme } from '../simulation/programme.ts';

// Runs seeds until one finds something, and ends with code 1 then, or in whatever way the gateway ends it.

const LOSSES = 60;

const [, , by, most] = argv;
for (let seed = 1; seed <= Number(most); seed += 1) {
  stdout.write(`${seed}\n`);
  if (by === 'powerloss') await losePowerOften({ seed, losses: LOSSES });
  else if (by === 'portables') await runProgramme(portableProgramme(seed));
  else await runProgramme(usualProgramme(seed));
}
