import { checkWords, optionsOf } from '../command-line.ts';
import { benchCodec } from './codec.ts';
import { benchCompare } from './compare.ts';
import { benchEmulator } from './emulator.ts';
import { benchLine } from './line.ts';
import { benchPortable } from './portable.ts';
import { benchRounds } from './round.ts';
import { benchSeal } from './seal.ts';
import { benchSimulation } from './simulation.ts';
import { benchSites } from './sites.ts';
import { benchStart } from './start.ts';
import { benchStore } from './store.ts';
import { benchStorm } from './storm.ts';
import { benchTcp } from './tcp.ts';
import { benchWeek } from './week.ts';

const BENCHES = {
  line: benchLine,
  round: benchRounds,
  compare: benchCompare,
  portable: benchPortable,
  week: benchWeek,
  codec: benchCodec,
  seal: benchSeal,
  store: benchStore,
  start: benchStart,
  sim: benchSimulation,
  tcp: benchTcp,
  emulator: benchEmulator,
  storm: benchStorm,
  sites: benchSites,
} as const;

/** A figure: which benchmark makes it, its goal, and what others reach. */
interface Figure {
  readonly by: keyof typeof BENCHES;
  readonly goal: string;
  readonly peer: string;
}

const FIGURES: Readonly<Record<string, Figure>> = {
  'line.push.templates_per_s': { by: 'line', goal: '≥ 28', peer: '23.0–24.9' },
  'line.push.efficiency': { by: 'line', goal: '≥ 0.95', peer: '0.765' },
  'line.push.efficiency_9600': { by: 'line', goal: '≥ 0.93', peer: 'fails' },
  'line.pull.efficiency': { by: 'line', goal: '≥ 0.95', peer: '0.75' },
  'line.round32_ms': { by: 'round', goal: '≤ 45', peer: '91' },
  'line.round32_9600_ms': { by: 'round', goal: '≤ 450', peer: '975' },
  'line.event_p99_ms': { by: 'round', goal: '≤ 120', peer: '91 a round' },
  'line.event_bulk_p99_ms': { by: 'round', goal: '≤ 180', peer: 'stops' },
  'line.dead_gap_ms': { by: 'round', goal: '≤ 30', peer: '188' },
  'line.readmit_s': { by: 'round', goal: '≤ 2', peer: '300' },
  'line.fanout31': { by: 'round', goal: '≤ 1.15', peer: '31' },
  'line.noise_goodput': { by: 'round', goal: '≥ 0.85', peer: 'offline' },
  'compare.bytes_10_of_10k': { by: 'compare', goal: '≤ 650', peer: '2986' },
  'compare.bytes_100_of_100k': { by: 'compare', goal: '≤ 5200', peer: '28748' },
  'compare.week_bytes': { by: 'week', goal: '–', peer: '64000000' },
  'compare.week_line_s': { by: 'week', goal: '–', peer: '5600' },
  'compare.week_s': { by: 'week', goal: '–', peer: '–' },
  'compare.week_again_bytes': { by: 'week', goal: '–', peer: '64000000' },
  'compare.week_again_line_s': { by: 'week', goal: '–', peer: '5600' },
  'portable.slice_efficiency': { by: 'portable', goal: '≥ 0.9', peer: '–' },
  'portable.slice_s': { by: 'portable', goal: '≤ 780', peer: '–' },
  'portable.tcp_s': { by: 'portable', goal: '–', peer: '–' },
  'portable.resume_again': { by: 'portable', goal: '≤ 0.1', peer: '–' },
  'codec.user_encode': { by: 'codec', goal: '≥ 4', peer: '1' },
  'codec.user_decode': { by: 'codec', goal: '≥ 1.1', peer: '1' },
  'codec.event_encode': { by: 'codec', goal: '≥ 2', peer: '1' },
  'codec.event_decode': { by: 'codec', goal: '≥ 2', peer: '1' },
  'frame.seal': { by: 'seal', goal: '≥ 0.85', peer: '–' },
  'store.merge_durable': { by: 'store', goal: '≥ 0.45', peer: '0.49–0.57' },
  'store.merge_grouped': { by: 'store', goal: '≥ 8', peer: '10.8' },
  'start.ready_ms': { by: 'start', goal: '≤ 1000', peer: '–' },
  'tcp.10k_core': { by: 'tcp', goal: '≤ 0.5', peer: '0.21' },
  'storm.api_p99_ratio': { by: 'storm', goal: '≤ 2', peer: 'warns' },
  'storm.pulls_per_user': { by: 'storm', goal: '≤ 1.5', peer: '100' },
  'sites.up_rows_per_s_ratio': { by: 'sites', goal: '≥ 0.5', peer: '–' },
  'sites.init_s': { by: 'sites', goal: '≤ 20', peer: 'minutes' },
  'sites.cost_user_down_ms': { by: 'sites', goal: '–', peer: '–' },
  'sites.cost_row_up_ms': { by: 'sites', goal: '–', peer: '–' },
  'sites.exchange_ms': { by: 'sites', goal: '–', peer: '–' },
  'sites.cost_exchange_ms_4': { by: 'sites', goal: '–', peer: '–' },
  'sites.cost_exchange_ms_16': { by: 'sites', goal: '–', peer: '–' },
  'sites.cost_exchange_ms_63': { by: 'sites', goal: '–', peer: '–' },
  'sites.cost_mb_4': { by: 'sites', goal: '–', peer: '–' },
  'sites.cost_mb_16': { by: 'sites', goal: '–', peer: '–' },
  'sites.cost_mb_63': { by: 'sites', goal: '–', peer: '–' },
  'tcp.10k_p99_ms': { by: 'tcp', goal: '≤ 20', peer: '5' },
  'emulator.ready_5000_s': { by: 'emulator', goal: '≤ 5', peer: '–' },
  'sim.speed': { by: 'sim', goal: '≥ 1000', peer: 'up to 700' },
  'sim.speed_real_crypto': { by: 'sim', goal: '≥ 500', peer: '–' },
};

const METRICS = Object.keys(FIGURES);
const HELP = `npm run --silent bench -- [--json] [--quick] [--only PREFIX]…

Measures through production code, and tells each figure with its goal and peer.

  --only line.push  figures whose name begins so, and nothing else
  --quick           fewer users and seconds: to see whether it works
  --json            one object of all figures, and nothing else

Figures: ${METRICS.join(', ')}

Examples:
  npm run --silent bench -- --only frame.seal --quick
  npm run --silent bench -- --json > figures.json`;
const values = optionsOf(HELP, {
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
});
checkWords('only', values.only, METRICS, (prefix) => METRICS.some((metric) => metric.startsWith(prefix)));
const wanted = (metric: string): boolean =>
  values.only.length === 0 || values.only.some((prefix) => metric.startsWith(prefix));
const figures: Record<string, number> = {};
for (const [name, bench] of Object.entries(BENCHES)) {
  if (!Object.entries(FIGURES).some(([metric, { by }]) => by === name && wanted(metric))) continue;
  if (!values.json) process.stderr.write(`${name} …\n`);
  for (const [metric, value] of Object.entries(await bench({ quick: values.quick })))
    if (wanted(metric)) figures[metric] = Number(value.toPrecision(4));
}
if (values.json) console.log(JSON.stringify(figures));
else
  for (const [metric, value] of Object.entries(figures))
    console.log(
      `${metric.padEnd(28)} ${String(value).padStart(9)}   goal ${(FIGURES[metric]?.goal ?? '–').padEnd(8)} peer ${FIGURES[metric]?.peer ?? '–'}`,
    );
