import { parseArgs } from 'node:util';
import { benchCodec } from './codec.ts';
import { benchLine } from './line.ts';
import { benchSimulation } from './simulation.ts';
import { benchStart } from './start.ts';
import { benchStore } from './store.ts';

/** A figure's goal, and what others reach. */
interface Goal {
  readonly goal: string;
  readonly peer: string;
}

const GOALS: Readonly<Record<string, Goal>> = {
  'line.push.templates_per_s': { goal: '≥ 28', peer: '23.0–24.9' },
  'line.push.efficiency': { goal: '≥ 0.95', peer: '0.765' },
  'line.push.efficiency_9600': { goal: '≥ 0.93', peer: 'fails' },
  'line.pull.efficiency': { goal: '≥ 0.95', peer: '0.75' },
  'codec.user_encode': { goal: '≥ 4', peer: '1' },
  'codec.user_decode': { goal: '≥ 1.1', peer: '1' },
  'codec.event_encode': { goal: '≥ 2', peer: '1' },
  'codec.event_decode': { goal: '≥ 2', peer: '1' },
  'store.merge_durable': { goal: '≥ 0.45', peer: '0.49–0.57' },
  'store.merge_grouped': { goal: '≥ 8', peer: '10.8' },
  'start.ready_ms': { goal: '≤ 1000', peer: '–' },
  'sim.speed': { goal: '≥ 1000', peer: 'up to 700' },
};

const BENCHES = {
  line: benchLine,
  codec: benchCodec,
  store: benchStore,
  start: benchStart,
  sim: benchSimulation,
} as const;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(
    `npm run --silent bench -- [--json] [--quick] [--only PREFIX]…\n\nFigures: ${Object.keys(GOALS).join(', ')}`,
  );
  process.exit(0);
}
const wanted = (metric: string): boolean =>
  values.only.length === 0 || values.only.some((prefix) => metric.startsWith(prefix));
const figures: Record<string, number> = {};
for (const [name, bench] of Object.entries(BENCHES)) {
  if (!Object.keys(GOALS).some((metric) => metric.startsWith(name) && wanted(metric))) continue;
  if (!values.json) process.stderr.write(`${name} …\n`);
  for (const [metric, value] of Object.entries(await bench({ quick: values.quick })))
    if (wanted(metric)) figures[metric] = Number(value.toPrecision(4));
}
if (values.json) console.log(JSON.stringify(figures));
else
  for (const [metric, value] of Object.entries(figures))
    console.log(
      `${metric.padEnd(28)} ${String(value).padStart(9)}   goal ${(GOALS[metric]?.goal ?? '–').padEnd(8)} peer ${GOALS[metric]?.peer ?? '–'}`,
    );
