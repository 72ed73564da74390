import { decodeField, FIELDS } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { AutoSync, RuntimeSettings } from '../settings/runtime.ts';

/** A place where users can go. */
export interface Place {
  readonly terminal: string;
  /** Terminals of a line hear what is said to one of them. */
  readonly line: string;
  /** Access groups that reach it. */
  readonly groups: readonly number[];
  /** Users come and go there in sync sessions only. */
  readonly portable?: true;
}

/** Which users go where by themselves. */
export interface Scope {
  readonly autoSync: AutoSync;
  readonly places: readonly Place[];
}

/** The places that settings make of those of the configuration. @param portables names of terminals that are portable */
export function placesOf(
  configured: readonly Place[],
  scope: RuntimeSettings['scope'],
  portables: ReadonlySet<string>,
): readonly Place[] {
  return configured.map((place) => ({
    ...place,
    groups: scope[place.terminal] ?? place.groups,
    ...(portables.has(place.terminal) ? { portable: true as const } : {}),
  }));
}

/** Whether a user belongs on a terminal by itself, as `autoSync` says. */
export function inScope(autoSync: AutoSync, groups: readonly number[], place: Place): boolean {
  if (place.portable) return false;
  switch (autoSync) {
    case 'off':
      return false;
    case 'all':
    case 'all-with-device-updates':
      return true;
    case 'access-groups':
      return groups.some((group) => place.groups.includes(group));
  }
}

/** Whether a user with these groups belongs on every terminal of the line that `terminal` is on. */
export function reachesLine(
  autoSync: AutoSync,
  groups: readonly number[],
  places: readonly Place[],
  terminal: string,
): boolean {
  const line = places.find((place) => place.terminal === terminal)?.line;
  return places.every((place) => place.line !== line || inScope(autoSync, groups, place));
}

/** Whether what people do at terminals comes back to the gateway. */
export function takesUpdates(autoSync: AutoSync): boolean {
  return autoSync === 'all-with-device-updates' || autoSync === 'access-groups';
}

/** A user's access groups; none when it has none. */
export function groupsOf(record: UserRecord): readonly number[] {
  const bytes = record.fields.get(FIELDS.groups.number);
  return bytes === undefined ? [] : decodeField('groups', bytes);
}
