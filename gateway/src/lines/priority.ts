/**
 * Who gets the line first. Within a priority, first come first served: a long transfer asks for its turn again after
 * each slice, so that several share the line fairly.
 */
export const PRIORITIES = [
  /** Someone stands there and waits. */
  'command',
  /** Signs of life and logs: a door was opened, a finger enrolled. */
  'live',
  /** Users coming in: what the other doors wait for. */
  'pull',
  /** Users going out. */
  'push',
  /** Whole tables compared or written. */
  'bulk',
  /** Photos, floor plans, firmware. */
  'file',
] as const;

export type Priority = (typeof PRIORITIES)[number];

/** Whether people wait for it at this moment. */
export function isUrgent(priority: Priority): boolean {
  return priority === 'command' || priority === 'live';
}
