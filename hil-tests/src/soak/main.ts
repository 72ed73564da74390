import { availableParallelism } from 'node:os';
import { sleep, systemClock } from '@whorl/protocol';
import { checkWords, numberOf, optionsOf } from '../command-line.ts';
import { inWords, runCrew } from './crew.ts';
import { PARTS } from './job.ts';
import { Schedule } from './schedule.ts';

const HELP = `npm run --silent soak -- [--json] [--minutes N] [--seed N] [--workers N] [--release]
                         [--only kill|noise|powerloss|programmes|years|sites|fuzz]…

Gateway processes killed at work, noise on a line, power losses of a simulated disk, random programmes of people and
faults at simulated sites and at a master with its satellites, full lines for hours and days, damaged input: for N
minutes (5 unless given), in as many processes as there are cores. 10 minutes or more: 200 users of 10 fingers, 10 kills
a cycle.

  --release    until everything that a release needs is reached, or N minutes are over; tells how many of each a worker
               does in a minute, and how many hours of one worker all of it takes
  --only sites --seed 1000  (or another multiple) a month of a master with 63 satellites
  --workers 0  everything in this process, where a debugger stops
  Ctrl-C       ends it with the figures so far, exit code 130

Examples:
  npm run --silent soak -- --only fuzz --minutes 60 --seed 7
  nice npm run --silent soak -- --release --json --workers 2 > release.json`;
const values = optionsOf(HELP, {
  json: { type: 'boolean', default: false },
  minutes: { type: 'string' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', multiple: true, default: [] },
  workers: { type: 'string', default: String(availableParallelism()) },
  release: { type: 'boolean', default: false },
});
checkWords('only', values.only, PARTS);
const PROGRESS_MS = 60_000;
const DEFAULT_MINUTES = 5;
const WEEK_MINUTES = 7 * 24 * 60;
const INTERRUPTED = 130;

const schedule = new Schedule({
  seed: numberOf('seed', values.seed),
  minutes:
    values.minutes === undefined
      ? values.release
        ? WEEK_MINUTES
        : DEFAULT_MINUTES
      : numberOf('minutes', values.minutes, { whole: false }),
  release: values.release,
  only: PARTS.filter((part) => values.only.includes(part)),
  clock: systemClock,
});
const workers = numberOf('workers', values.workers);
const stopping = new AbortController();
const over = new AbortController();
process.once('SIGINT', () => stopping.abort());
process.once('SIGTERM', () => stopping.abort());
void tellProgress();
await runCrew({
  workers,
  next: () => schedule.next(),
  done(job, outcome) {
    const failure = schedule.done(job, outcome);
    if (failure !== undefined) process.stderr.write(inWords(job, failure));
  },
  signal: stopping.signal,
});
over.abort();
const figures = schedule.figures();
if (values.json) console.log(JSON.stringify(figures));
else for (const [metric, value] of Object.entries(figures)) console.log(`${metric.padEnd(30)} ${value}`);
process.exitCode = schedule.failures > 0 ? 1 : stopping.signal.aborted ? INTERRUPTED : 0;

async function tellProgress(): Promise<void> {
  for (;;) {
    const goesOn = await sleep(systemClock, PROGRESS_MS, over.signal).then(
      () => true,
      () => false,
    );
    if (!goesOn) return;
    const told = Object.entries(schedule.figures()).filter(([metric]) => !metric.endsWith('_per_minute'));
    process.stderr.write(`${told.map(([metric, value]) => `${metric} ${value}`).join(', ')}\n`);
  }
}
