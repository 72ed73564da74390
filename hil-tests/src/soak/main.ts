import { parseArgs } from 'node:util';
import { systemClock } from '@whorl/protocol';
import { fuzz } from './fuzz.ts';
import { killSoak } from './kill.ts';
import { noiseSoak } from './noise.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(
    'npm run --silent soak -- [--json] [--minutes N] [--seed N]\n\nGateway processes killed at work, noise on a line, then damaged input, for N minutes in all. 10 minutes or more: 200 users of 10 fingers, 10 kills a cycle.',
  );
  process.exit(0);
}
/** What noise may leave behind: less than a frame for each terminal, and what the engine keeps for itself. */
const MOST_GROWTH_MB = 5;
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const long = minutes >= 10;
const end = systemClock.now() + minutes * 60_000;
const kill = { cycles: 0, lost: 0, twice: 0 };
for (let round = 0; round === 0 || (long && systemClock.now() < end - 300_000); round += 1) {
  const result = await killSoak(
    long
      ? { users: 200, fingers: 10, kills: 10, seed: seed + round }
      : { users: 18, fingers: 3, kills: 3, seed },
  );
  kill.cycles += result.cycles;
  kill.lost += result.lost;
  kill.twice += result.twice;
  if (!values.json) process.stderr.write(`kill: seed ${seed + round}: ${JSON.stringify(result)}\n`);
}
const noise = await noiseSoak({ forMs: long ? 60_000 : 5_000 });
const fuzzed = fuzz({ seed, forMs: Math.max(5_000, Math.min(end - systemClock.now(), minutes * 20_000)) });
if (fuzzed.first !== undefined) process.stderr.write(`${fuzzed.first}\n`);
const figures = {
  'kill.cycles': kill.cycles,
  'kill.lost': kill.lost,
  'kill.twice': kill.twice,
  'fuzz.frames': fuzzed.frames,
  'fuzz.crashes': fuzzed.crashes,
  ...(noise === undefined
    ? {}
    : {
        'noise.bytes': noise.bytes,
        'noise.growth_mb': Math.round(noise.growthMb * 100) / 100,
        'noise.back_ms': Math.round(noise.backMs),
      }),
};
if (values.json) console.log(JSON.stringify(figures));
else for (const [metric, value] of Object.entries(figures)) console.log(`${metric.padEnd(16)} ${value}`);
const leaks = noise !== undefined && noise.growthMb > MOST_GROWTH_MB;
process.exitCode = kill.lost + kill.twice + fuzzed.crashes > 0 || leaks ? 1 : 0;
