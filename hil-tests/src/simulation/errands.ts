import type { SyncView } from '@whorl/gateway';
import { isSyncing } from './carried.ts';
import { newName, pick } from './chance.ts';
import { add, remove } from './deeds/office.ts';
import { losePower, restart, seeToMachine } from './deeds/troubles.ts';
import {
  cancelThere,
  change,
  logIn,
  logOut,
  MOMENT_MS,
  press,
  somewhere,
  syncAt,
  tried,
} from './portables.ts';
import type { Place } from './portables.ts';
import type { Run } from './run.ts';

// What is done with portable terminals so that it meets a certain moment.

/** A sync is over by then, mostly, milliseconds. */
const SYNC_MS = 5_000;
const LOOK_MS = 20;
const STAGES = ['sending', 'sending', 'downloading', 'storing', 'over'] as const;
/** From then until it is cut off, at most. */
const TRANSMISSIONS = [1, 6, 20] as const;
/** Operations on the disk until the gateway's machine loses power, at most. */
const MOST_OPERATIONS = 12;

/** Somebody takes it out of its dock, works, and puts it back; maybe others put it there again, and nobody logs in. */
export async function errand(run: Run): Promise<string | undefined> {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const { rig, random } = run;
  const { name, terminal, carried } = place;
  const told = [logIn(run, place)];
  if (!isSyncing(terminal))
    told.push(press(place, { button: 'options', automatic: true, data: random.below(3) > 0 }));
  for (let more = random.below(3); more > 0; more -= 1) told.push(change(run, place));
  told.push(logOut(place));
  for (let times = 1 + random.below(2); times > 0 && terminal.power === 'on'; times -= 1) {
    carried.maySync();
    told.push(`out of the dock: ${tried(() => terminal.setSupply(false))}`);
    told.push(`in the dock: ${tried(() => terminal.setSupply(true))}`);
    await rig.pass(random.below(SYNC_MS));
  }
  return `${name}: ${told.filter((one) => one !== undefined).join('; ')}`;
}

/**
 * A sync by hand that is cut off, or cancelled, the moment that it comes to a stage; maybe it is tried again at once, when
 * somebody else has the number of who was changed there.
 */
export async function breakOffAt(run: Run): Promise<string | undefined> {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const { rig, random, belief } = run;
  const stage = pick(random, STAGES);
  const told = [logIn(run, place)];
  for (let more = random.below(4); more >= 0; more -= 1) told.push(change(run, place));
  const breaks = pick(random, BREAKS)(run, place);
  const met = { stage: false, broken: false };
  // At once, or amid what is said from then on: of a sync that is over, only that it is.
  const said = random.below(pick(random, TRANSMISSIONS));
  let left = stage === 'over' ? 0 : said;
  const breakNow = (): void => {
    if (met.broken) return;
    met.broken = true;
    told.push(`${stage}: ${breaks.begin()}`);
  };
  const forget = rig.gateway.tasks.watch((view) => {
    if (met.stage || view.terminal !== place.name || stageOf(view) !== stage) return;
    met.stage = true;
    if (left === 0) breakNow();
  });
  const untap = rig.media.get(rig.lineOf(place.name))?.tap(() => {
    if (met.stage && (left -= 1) === 0) rig.clock.after(0, breakNow);
  });
  belief.faults += 1;
  told.push(syncAt(run, place, 'synchronise'));
  for (let passed = 0; !met.broken && passed < SYNC_MS; passed += LOOK_MS) await rig.pass(LOOK_MS);
  forget();
  untap?.();
  if (met.broken) await breaks.next?.();
  await rig.pass(random.below(MOMENT_MS));
  if (met.broken) await breaks.end?.();
  if (random.below(2) === 0) {
    const [user] = [...place.carried.changes.keys()].slice(-1);
    if (user !== undefined && random.below(2) === 0) told.push(await replaced(run, user));
    if (place.terminal.power === 'on') told.push(syncAt(run, place));
  }
  return `${place.name}: ${told.filter((one) => one !== undefined).join('; ')}`;
}

async function replaced(run: Run, user: number): Promise<string | undefined> {
  const told = await remove.perform(run, { do: 'delete', user });
  const name = newName(run.random);
  return [told, await add.perform(run, { do: 'add', user, name, groups: [1, 2] })].join('; ');
}

interface Break {
  readonly begin: () => string;
  /** At once, where that takes its time. */
  readonly next?: () => Promise<unknown>;
  /** A moment later. */
  readonly end?: () => Promise<void> | void;
}

const BREAKS: readonly ((run: Run, place: Place) => Break)[] = [
  (_, place) => ({ begin: () => cancelThere(place) }),
  (run) => ({
    begin() {
      if (run.machine === undefined) return 'the gateway restarts';
      const operations = 1 + run.random.below(MOST_OPERATIONS);
      void losePower.perform(run, { do: 'lose-power', operations });
      return `power for ${operations} more operations on the disk`;
    },
    async next() {
      if (run.machine === undefined) await restart.perform(run, { do: 'restart' });
    },
    end: () => seeToMachine(run),
  }),
  ({ rig }, { name }) => ({
    begin() {
      void rig.unplug(rig.lineOf(name));
      return 'pulled out for a moment';
    },
    end: () => rig.plug(rig.lineOf(name)),
  }),
  (_, { terminal }) => ({
    begin() {
      terminal.powerOff();
      return 'the battery falls out';
    },
    end: () => terminal.powerOn(),
  }),
];

function stageOf({ state, progress }: SyncView): string | undefined {
  return state === 'running' ? progress?.stage : 'over';
}
