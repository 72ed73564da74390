import type { Gateway, StoredEvent } from '@whorl/gateway';
import type { Rig } from '../rig/rig.ts';
import type { Northbound } from './northbound.ts';

// What must be true of what a gateway said over MQTT, at rest.

type GatewayStatus = Awaited<ReturnType<Gateway['operations']['status']>>;

const MOST_DEEDS = 10_000;
/** What changed a moment ago may be on its way to the broker, milliseconds. */
const SOON_MS = 30_000;

/** @throws Error naming an event that was not said, or otherwise than it is stored */
export function checkSaid({ events }: Northbound, stored: readonly StoredEvent[]): void {
  for (const { id, type, user } of stored) {
    const said = events.get(id);
    if (said === undefined) throw new Error(`event ${id}, ${type}, was never said over MQTT`);
    if (said.type !== type) throw new Error(`event ${id} was said as ${said.type}, and is ${type}`);
    // Of somebody who was erased since, what is stored tells no more.
    if (user !== undefined && said.user !== user)
      throw new Error(`event ${id} was said of user ${said.user}, and is of ${user}`);
  }
  const last = stored.at(-1)?.id ?? 0;
  for (const id of events.keys()) if (id > last) throw new Error(`event ${id} was said and is not stored`);
}

/** @throws Error naming a state that is retained and is not so, and stays that way */
export async function checkRetained(rig: Rig, north: Northbound): Promise<void> {
  let wrong: string | undefined;
  const isRight = async (): Promise<boolean> => {
    wrong = wrongIn(north, await rig.gateway.operations.status());
    return wrong === undefined;
  };
  await rig.until('what is retained to be so', isRight, { withinMs: SOON_MS }).catch((error: unknown) => {
    throw wrong === undefined ? error : new Error(wrong);
  });
}

function wrongIn(north: Northbound, { lines, terminals, database }: GatewayStatus): string | undefined {
  const states = [
    ['state', 'online'],
    ['database/state', database === undefined ? 'working' : 'failing'],
    ...lines.map(({ name, state }) => [`lines/${name}/state`, state] as const),
    ...terminals.map(({ name, state }) => [`terminals/${name}/state`, state] as const),
  ] as const;
  for (const [topic, state] of states) {
    const retained = north.retained(topic);
    const said =
      typeof retained === 'object' && retained !== null && 'state' in retained ? retained.state : undefined;
    if (said !== state) return `${topic} is retained as ${String(said)}, and is ${state}`;
  }
  const size = north.broker.retained.size;
  return size === states.length ? undefined : `${size} topics are retained instead of ${states.length}`;
}

/** @throws Error naming a command that was not done, or more often than by each gateway that it came to */
export async function checkCommands(rig: Rig, { asked }: Northbound): Promise<void> {
  const deeds = await rig.gateway.store.audit.deeds({ who: 'mqtt', limit: MOST_DEEDS });
  for (const { id, value, ok, lives } of asked) {
    const done = deeds.filter(({ detail }) => detail.includes(`"guardUsers":${value}}`)).length;
    if (ok === true && done === 0) throw new Error(`${id} was answered, and not done`);
    if (done > lives.size) throw new Error(`${id} was done ${done} times by ${lives.size} gateways`);
  }
}
