import type { SyncView } from '@whorl/gateway';
import { isSyncing } from './carried.ts';
import { pick } from './chance.ts';
import { cancelThere, change, logIn, logOut, MOMENT_MS, press, somewhere, syncAt } from './portables.ts';
import type { Place } from './portables.ts';
import type { Run } from './run.ts';

// What is done with portable terminals so that it meets a certain moment.

/** A sync is over by then, mostly, milliseconds. */
const SYNC_MS = 5_000;
const LOOK_MS = 20;
const STAGES = ['sending', 'downloading', 'storing', 'over'] as const;

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
    terminal.setSupply(false);
    terminal.setSupply(true);
    told.push('in the dock');
    await rig.pass(random.below(SYNC_MS));
  }
  return `${name}: ${told.filter((one) => one !== undefined).join('; ')}`;
}

/** A sync by hand that is cut off, or cancelled, the moment that it comes to a stage. */
export async function breakOffAt(run: Run): Promise<string | undefined> {
  const place = somewhere(run);
  if (place === undefined) return undefined;
  const { rig, random, belief } = run;
  const stage = pick(random, STAGES);
  const told = [logIn(run, place)];
  for (let more = random.below(3); more > 0; more -= 1) told.push(change(run, place));
  const breaks = pick(random, BREAKS)(run, place);
  const met = { stage: false };
  const forget = rig.gateway.tasks.watch((view) => {
    if (met.stage || view.terminal !== place.name || stageOf(view) !== stage) return;
    met.stage = true;
    told.push(`${stage}: ${breaks.begin()}`);
  });
  belief.faults += 1;
  told.push(syncAt(run, place, 'synchronise'));
  for (let passed = 0; !met.stage && passed < SYNC_MS; passed += LOOK_MS) await rig.pass(LOOK_MS);
  forget();
  await rig.pass(random.below(MOMENT_MS));
  if (met.stage) await breaks.end();
  return `${place.name}: ${told.filter((one) => one !== undefined).join('; ')}`;
}

interface Break {
  readonly begin: () => string;
  readonly end: () => Promise<void> | void;
}

const BREAKS: readonly ((run: Run, place: Place) => Break)[] = [
  (_, place) => ({ begin: () => cancelThere(place), end: () => undefined }),
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
