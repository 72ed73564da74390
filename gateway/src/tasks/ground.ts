import type { Random } from '@whorl/protocol';
import type { Site } from '../sync/site.ts';
import type { TerminalDriver } from '../terminals/driver.ts';
import { isMember } from './slice.ts';
import type { Candidate, SliceSite } from './slice.ts';
import type { Slice } from '../settings/task.ts';

/** What somebody did at a portable terminal, for the audit trail. */
export interface TerminalDeed {
  readonly who: string;
  readonly place: string;
  readonly deed: string;
  readonly target: string;
}

/** What tasks stand on. */
export interface TaskGround {
  readonly site: Site;
  /** Name of the gateway. */
  readonly name: string;
  readonly random: Random;
  /** @throws WhorlError TERMINAL_UNKNOWN */
  readonly driver: (terminal: string) => TerminalDriver;
  /** Bits a second of the line that a terminal is on; `undefined` where there are no byte times. */
  readonly baud: (terminal: string) => number | undefined;
  /** Writes into the audit trail what somebody did at a terminal. */
  readonly note: (deed: TerminalDeed) => Promise<void>;
}

export function sliceSite({ site, name }: Pick<TaskGround, 'site' | 'name'>): SliceSite {
  return { name, scope: site.scope };
}

const PAGE = 500;

/** Who belongs to a slice, by ascending id, a page of candidates at a time. */
export async function* membersOf(
  ground: Pick<TaskGround, 'site' | 'name'>,
  slice: Slice,
): AsyncGenerator<readonly Candidate[]> {
  for (let after = 0; ;) {
    const users = await ground.site.store.users({ after, limit: PAGE });
    const last = users.at(-1);
    if (last === undefined) return;
    const here = sliceSite(ground);
    yield users.filter((user) => isMember(slice, user, here));
    after = last.id;
  }
}
