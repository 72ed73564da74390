import process from 'node:process';
import { hasPty } from '@whorl/device-emulator';
import type { Medium } from '@whorl/device-emulator';
import { systemClock } from '@whorl/protocol';
import type { CapturedLine, Clock } from '@whorl/protocol';
import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import type { TestContext } from 'vitest';
import { absent, BACK_MS } from './attendance.ts';
import { gone, tellGone } from './gone.ts';
import { hilRun } from './hil-run.ts';
import { memoryRig } from './memory.ts';
import { leftOut } from './needs.ts';
import type { Needs } from './needs.ts';
import { pairRest, portsRig } from './ports.ts';
import { realRig } from './real.ts';
import { SMALL_SITE } from './rig.ts';
import type { Rig, RigPlan } from './rig.ts';
import { givesOf } from './rig-file.ts';
import type { Ability, EmulatedKind, Site } from './site.ts';
import { Timeline } from './timeline.ts';
import type { TimelineRow } from './timeline.ts';

const TIMEOUT_MS = 60_000;
/** On ports people have to walk. */
const PORTS_TIMEOUT_MS = 30 * 60_000;
const KINDS = ['memory', 'pty', 'tcp'] as const;
const HIL = hilRun();
// Ctrl-C reaches every process of the console: the one that was started ends the others in order.
if (HIL !== undefined) process.on('SIGINT', () => undefined);

/** What `whorl-hil` reads of a behaviour when it has run. */
export interface BehaviourMeta {
  readonly title: string;
  /** What the lines said last, when it has failed. */
  timeline?: readonly TimelineRow[];
  /** Why it was left out, when the bench was there no more. */
  gone?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    behaviour?: BehaviourMeta;
  }
}

export interface BehaviourOptions {
  /** What the site has; six terminals unless it matters. */
  readonly plan?: RigPlan;
  /** Where it runs; everywhere unless real time would say nothing more. */
  readonly on?: readonly EmulatedKind[];
  /** What it destroys at terminals, in words. */
  readonly destroys?: string;
}

export interface NeedOptions extends BehaviourOptions {
  readonly needs?: readonly Ability[];
  /** At least so many terminals; two unless it matters. */
  readonly terminals?: number;
}

/**
 * One behaviour of the whole product, run unchanged on each rig: in memory and virtual time, on pseudo-terminals, on
 * TCP. The rig is online when `body` begins and is taken down when it ends.
 */
export function behaviour(
  title: string,
  body: (rig: Rig) => Promise<void>,
  options: BehaviourOptions = {},
): void {
  const needs = { ...options, inside: true, abilities: [], terminals: 0 };
  register({ title, needs, plan: options.plan ?? SMALL_SITE, body });
}

/** A behaviour that looks into no terminal and knows none by name: it runs on hardware as well. */
export function everywhere(
  title: string,
  body: (site: Site) => Promise<void>,
  { needs = [], terminals = 2, ...options }: NeedOptions = {},
): void {
  const all = { ...options, inside: false, abilities: needs, terminals };
  register({ title, needs: all, plan: options.plan ?? SMALL_SITE, body, onPorts: body });
}

interface Registered {
  readonly title: string;
  readonly needs: Needs;
  readonly plan: RigPlan;
  readonly body: (rig: Rig) => Promise<void>;
  readonly onPorts?: (site: Site) => Promise<void>;
}

function register(one: Registered): void {
  if (HIL === undefined) {
    for (const kind of one.needs.on ?? KINDS)
      test(`${one.title} [${kind}]`, { timeout: TIMEOUT_MS }, (context) => emulated(one, kind, context));
    return;
  }
  const { file, consents } = HIL;
  const terminals = Object.values(one.plan.lines).flat().length;
  const why = leftOut(one.needs, givesOf(file, consents, terminals));
  const [kind, timeout] =
    'emulated' in file ? ([file.emulated, TIMEOUT_MS] as const) : (['ports', PORTS_TIMEOUT_MS] as const);
  test(`${one.title} [${kind}]`, { timeout }, async (context) => {
    const meta: BehaviourMeta = { title: one.title };
    context.task.meta.behaviour = meta;
    if (why !== undefined) context.skip(why);
    const tell = (timeline: Timeline): void => {
      onTestFailed(() => {
        meta.timeline = timeline.show();
      });
    };
    if (kind === 'ports') await onPorts(one, context, { tell, meta });
    else await emulated(one, kind, context, tell);
  });
}

async function emulated(
  { plan, body }: Registered,
  kind: EmulatedKind,
  context: TestContext,
  tell?: (timeline: Timeline) => void,
): Promise<void> {
  if (kind === 'pty' && !hasPty()) context.skip('no pseudo-terminals on this system');
  const rig = await emulatedRig(kind, plan, tell);
  onTestFinished(() => rig.close());
  stopOn(context.signal, rig);
  await allOnline(rig);
  await body(rig);
}

function emulatedRig(
  kind: EmulatedKind,
  plan: RigPlan,
  tell: ((timeline: Timeline) => void) | undefined,
): Promise<Rig> {
  if (tell === undefined) return kind === 'memory' ? memoryRig(plan) : realRig(kind, plan);
  const timeline = new Timeline();
  tell(timeline);
  const { tellKeys } = timeline;
  const tap = (clock: Clock) => (line: CapturedLine, medium: Medium) => {
    timeline.tap(line, medium, clock);
  };
  if (kind === 'memory') return memoryRig(plan, { tellKeys, tap });
  return realRig(kind, plan, { tellKeys, tap: tap(systemClock) });
}

async function onPorts(
  { onPorts: body }: Registered,
  context: TestContext,
  { tell, meta }: { tell: (timeline: Timeline) => void; meta: BehaviourMeta },
): Promise<void> {
  if (HIL === undefined || 'emulated' in HIL.file || body === undefined) return;
  const { data } = HIL.file;
  const leaveOut = (why: string): never => {
    meta.gone = why;
    return context.skip(`the bench was there no more: ${why}`);
  };
  const before = gone(data);
  if (before !== undefined) leaveOut(before);
  const timeline = new Timeline();
  tell(timeline);
  const site = await portsRig(HIL.file, { console: HIL.console, timeline, begin: next() });
  onTestFinished(() => site.close());
  stopOn(context.signal, site);
  const missing = await absent(site, { clock: systemClock, signal: context.signal, closedMs: BACK_MS });
  if (missing.length > 0) {
    const why = missing.join('; ');
    tellGone(data, why);
    leaveOut(why);
  }
  await pairRest(site);
  await allOnline(site);
  await body(site);
}

/** Whoever waits is told when the run is ended before its end. */
function stopOn(signal: AbortSignal, site: Site): void {
  const until = site.until.bind(site);
  site.until = (what, condition, options) =>
    until(
      what,
      () => {
        if (signal.aborted) throw new Error(`ended while it awaited: ${what}`);
        return condition();
      },
      options,
    );
}

let begun = 0;
/** Each behaviour has users of its own, whatever the one before has left behind. */
function next(): number {
  begun += 1;
  return ((HIL?.begin ?? 0) + begun * 0.03) % 1;
}

/** Waits until every terminal answers and its log is read. */
export async function allOnline(rig: Site): Promise<void> {
  await rig.until('all terminals online', async () =>
    (await rig.gateway.operations.status()).terminals.every((terminal) => terminal.state === 'online'),
  );
  await rig.until('the first logs of all terminals', async () => {
    // A store that is kept from one run to the next knows terminals that are not on the rig any more.
    const rows = await rig.gateway.store.terminals();
    return rig.names.every((name) => rows.some((row) => row.name === name && row.position.id > 0));
  });
}

/** Waits until a user is verified on all these terminals, and on no others. */
export async function verifiedOn(
  rig: Site,
  user: number,
  names: readonly string[],
  withinMs = 30_000,
): Promise<void> {
  const wanted = [...names].sort().join(', ');
  await rig.until(
    `user ${user} verified on ${wanted || 'no terminal'}`,
    async () => {
      const rows = await rig.gateway.store.ledger({ user, limit: 1000 });
      const verified = rows
        .filter((row) => row.state === 'verified' && row.want === 'present')
        .map((row) => row.terminal);
      return verified.sort().join(', ') === wanted;
    },
    { withinMs },
  );
}

/** Waits until nothing is on its way any more. */
export async function atRest(rig: Site, withinMs = 60_000): Promise<void> {
  await rig.until(
    'the site at rest',
    async () => {
      const status = await rig.gateway.operations.status();
      return (
        status.openPulls === 0 &&
        status.terminals.every(
          ({ ledger, state }) => state === 'online' && ledger.pending + ledger.sending === 0,
        )
      );
    },
    { withinMs },
  );
}

/** Waits until all logs are read: what a terminal logged of the gateway's own writes is read a little later. */
export function logsRead(rig: Rig): Promise<void> {
  return rig.until('all logs read', async () => {
    const read = new Map((await rig.gateway.store.terminals()).map((row) => [row.name, row.position.id]));
    return [...rig.terminals].every(([name, one]) => (read.get(name) ?? 0) >= (one.logs(1)[0]?.id ?? 0));
  });
}

export const ALL = [
  'terminal-1',
  'terminal-2',
  'terminal-3',
  'terminal-4',
  'terminal-5',
  'terminal-6',
] as const;

/** The user's digest at each terminal that has it. */
export function digestsOf(rig: Rig, user: number): Set<string> {
  return new Set([...rig.terminals.values()].flatMap((terminal) => terminal.users().get(user) ?? []));
}

/** Waits until a user is the same at all these terminals, as their proofs say, and at the gateway. */
export async function sameOn(site: Site, user: number, names: readonly string[]): Promise<void> {
  await verifiedOn(site, user, names);
  const rows = await site.gateway.store.ledger({ user, limit: 1000 });
  expect(new Set(rows.filter(({ want }) => want === 'present').map(({ version }) => version)).size).toBe(1);
}
