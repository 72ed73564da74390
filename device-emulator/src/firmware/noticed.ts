import type { Op } from './ops.ts';
import type { Sensors } from './sensors.ts';
import { shownLog } from './shown-log.ts';
import type { ShownLog } from './shown-log.ts';

/** `starting` takes as long as the model says. */
export type Power = 'off' | 'starting' | 'on';

/** Something that whoever stands before a terminal may notice, or reads in its log. */
export type Noticed =
  | { readonly kind: 'logged'; readonly record: ShownLog }
  | { readonly kind: 'power'; readonly power: Power }
  | { readonly kind: 'dock'; readonly docked: boolean }
  | { readonly kind: 'sensors'; readonly sensors: Readonly<Sensors> }
  /** What its display shows may be different: a sync goes on, a pairing has ended. */
  | { readonly kind: 'shown' };

export type TellNoticed = (noticed: Noticed) => void;

/** Tells what changes of a terminal's store mean to those who watch it. */
export function tellChanges(ops: readonly Op[], tell: TellNoticed): void {
  for (const op of ops) if (op.name === 'logged') tell({ kind: 'logged', record: shownLog(op.record) });
  if (ops.some(({ name }) => name !== 'logged' && name !== 'arrived')) tell({ kind: 'shown' });
}
