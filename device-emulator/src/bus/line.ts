import type { Terminal } from '../firmware/terminal.ts';
import type { Cable } from './cable.ts';
import type { Medium } from './medium.ts';

/** A line as it runs: its wire, what that hangs on, and who sits on it. */
export interface RunningLine {
  readonly name: string;
  readonly medium: Medium;
  readonly cable: Cable;
  readonly terminals: ReadonlyMap<string, Terminal>;
}
