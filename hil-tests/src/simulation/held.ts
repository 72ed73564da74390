import type { Enrolled } from './belief.ts';
import type { Played } from './run.ts';

/** Whether a terminal that can be asked has what was enrolled there. */
export function isHeld(rig: Played['rig'], { terminal: name, user, field, value }: Enrolled): boolean {
  const terminal = rig.terminal(name);
  const held = terminal.power === 'on' ? terminal.record(user)?.fields.get(field) : undefined;
  return held !== undefined && Buffer.from(held).toString('base64') === value;
}
