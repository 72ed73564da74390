import type { SyncView, TaskDefinition } from '@whorl/gateway';
import type { Rig, RigPlan } from './rig.ts';

/** A site with a portable terminal in its dock, and a door. */
export const PORTABLE_SITE: RigPlan = {
  lines: {
    dock: [{ name: 'handheld', model: 'portable-5k' }],
    floor: [{ name: 'door', groups: [1] }],
  },
};

/** Where the gateway notes which lists the terminal has taken, whole. */
const LISTS = 'tasks.lists handheld';

export const MIRA = { id: 5, name: 'Mira', pin: '4711' } as const;
export const LOG_IN = { button: 'log-in', operator: MIRA.id, pin: MIRA.pin } as const;

/** Defines an operator and a task for the portable terminal. @returns the task's id, once the terminal lists it */
export async function northGate(rig: Rig, changes: Partial<TaskDefinition> = {}): Promise<number> {
  const { tasks, store } = rig.gateway;
  await rig.until('the terminal to be known', async () => (await store.note(LISTS)) !== undefined);
  const before = await store.note(LISTS);
  await tasks.saveOperator(MIRA.id, MIRA);
  const { id } = await tasks.addTask({
    ...{ name: 'North gate', slice: { who: { by: 'groups', groups: [1] }, without: [] } },
    ...{ files: [], terminals: ['handheld'], operators: [MIRA.id] },
    ...changes,
  });
  await rig.until(
    'the terminal to know task and operator',
    async () => (await store.note(LISTS)) !== before && lists(rig, id),
  );
  return id;
}

function lists(rig: Rig, id: number): boolean {
  return rig.terminal('handheld').display.tasks.some((task) => task.id === id);
}

/** The newest session. */
export async function newestSync(rig: Rig): Promise<SyncView | undefined> {
  return (await rig.gateway.tasks.syncs({ limit: 1 }))[0];
}

/** Waits until the newest session of at least so many is over. */
export async function syncOver(rig: Rig, sessions: number, withinMs = 120_000): Promise<SyncView> {
  let newest: SyncView | undefined;
  await rig.until(
    `session ${sessions} to be over`,
    async () => {
      newest = await newestSync(rig);
      const shown = rig.terminal('handheld').power === 'on' && rig.terminal('handheld').display.window;
      return (
        newest !== undefined &&
        newest.id >= sessions &&
        newest.state !== 'running' &&
        shown !== false &&
        shown?.kind === 'message'
      );
    },
    { withinMs },
  );
  if (newest === undefined) throw new Error('no session');
  return newest;
}

/** Logs in, presses sync, and waits for the end. */
export async function syncNow(
  rig: Rig,
  task: number,
  sync: { readonly mode?: 'synchronise' | 'send'; readonly files?: boolean } = {},
): Promise<SyncView> {
  const sessions = ((await newestSync(rig))?.id ?? 0) + 1;
  const handheld = rig.terminal('handheld');
  if (handheld.display.operator === undefined) handheld.press(LOG_IN);
  handheld.press({ button: 'sync', mode: sync.mode ?? 'synchronise', task, files: sync.files });
  return syncOver(rig, sessions);
}
