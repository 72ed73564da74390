import { parseArgs } from 'node:util';
import { systemClock } from '@whorl/protocol';
import { fuzz } from './fuzz.ts';
import { killSoak } from './kill.ts';
import { noiseSoak } from './noise.ts';
import { powerLossSoak } from './powerloss.ts';
import { simulationSoak } from './simulation.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});
const HELP = `npm run --silent soak -- [--json] [--minutes N] [--seed N] [--only kill|noise|powerloss|programmes|fuzz]…

Gateway processes killed at work, noise on a line, power losses of a simulated disk, random programmes of people and faults, then damaged input, for N
minutes in all. 10 minutes or more: 200
users of 10 fingers, 10 kills a cycle.

Example:
  npm run --silent soak -- --only fuzz --minutes 60 --seed 7`;
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
/** What noise may leave behind: less than a frame for each terminal, and what the engine keeps for itself. */
const MOST_GROWTH_MB = 5;
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const long = minutes >= 10;
const end = systemClock.now() + minutes * 60_000;
const wanted = (part: string): boolean => values.only.length === 0 || values.only.includes(part);
const figures: Record<string, number> = {};
let failures = 0;

if (wanted('kill')) await kill();
if (wanted('noise')) await noise();
if (wanted('powerloss')) await powerLosses();
if (wanted('programmes')) await programmes();
if (wanted('fuzz')) fuzzed();
if (values.json) console.log(JSON.stringify(figures));
else for (const [metric, value] of Object.entries(figures)) console.log(`${metric.padEnd(16)} ${value}`);
process.exitCode = failures === 0 ? 0 : 1;

async function kill(): Promise<void> {
  const sum = { cycles: 0, lost: 0, twice: 0 };
  for (let round = 0; round === 0 || (long && systemClock.now() < end - 300_000); round += 1) {
    const result = await killSoak(
      long
        ? { users: 200, fingers: 10, kills: 10, seed: seed + round }
        : { users: 18, fingers: 3, kills: 3, seed },
    );
    sum.cycles += result.cycles;
    sum.lost += result.lost;
    sum.twice += result.twice;
    if (!values.json) process.stderr.write(`kill: seed ${seed + round}: ${JSON.stringify(result)}\n`);
  }
  Object.assign(figures, { 'kill.cycles': sum.cycles, 'kill.lost': sum.lost, 'kill.twice': sum.twice });
  failures += sum.lost + sum.twice;
}

async function noise(): Promise<void> {
  const result = await noiseSoak({ forMs: long ? 60_000 : 5_000 });
  if (result === undefined) return;
  figures['noise.bytes'] = result.bytes;
  figures['noise.growth_mb'] = Math.round(result.growthMb * 100) / 100;
  figures['noise.back_ms'] = Math.round(result.backMs);
  if (result.growthMb > MOST_GROWTH_MB) failures += 1;
}

async function powerLosses(): Promise<void> {
  const until = values.only.length === 1 ? end : systemClock.now() + minutes * 10_000;
  const { cycles, lost } = await powerLossSoak({ seed, until });
  Object.assign(figures, { 'powerloss.cycles': cycles, 'powerloss.lost': lost });
  failures += lost;
}

async function programmes(): Promise<void> {
  const until = values.only.length === 1 ? end : systemClock.now() + minutes * 10_000;
  const { seeds, violations, deviceYears } = await simulationSoak({ seed, until });
  const told = { 'sim.seeds': seeds, 'sim.violations': violations, 'sim.device_years': deviceYears };
  Object.assign(figures, told);
  failures += violations;
}

function fuzzed(): void {
  const left = end - systemClock.now();
  const forMs = values.only.length === 1 ? left : Math.max(5_000, Math.min(left, minutes * 20_000));
  const result = fuzz({ seed, forMs });
  if (result.first !== undefined) process.stderr.write(`${result.first}\n`);
  Object.assign(figures, { 'fuzz.frames': result.frames, 'fuzz.crashes': result.crashes });
  failures += result.crashes;
}
