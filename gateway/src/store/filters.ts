import type { EventType } from '../events/catalogue.ts';

export interface UserFilter {
  /** Users with higher ids. */
  readonly after?: number;
  readonly limit: number;
  /** Part of the name, any case. */
  readonly name?: string;
  readonly group?: number;
}

export interface EventFilter {
  /** Events with higher ids. */
  readonly after?: number;
  /** Events with this id, or lower ones. */
  readonly upTo?: number;
  /** The newest instead of the first `limit`; still answered by ascending id. */
  readonly newest?: boolean;
  readonly limit: number;
  readonly type?: EventType;
  readonly terminal?: string;
  readonly user?: number;
}
