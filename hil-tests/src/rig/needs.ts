import { counted } from '@whorl/protocol';
import { ABILITIES } from './site.ts';
import type { Ability, EmulatedKind, RigKind } from './site.ts';

/** What a behaviour needs of the rig that it runs on. */
export interface Needs {
  /** Emulated rigs that it is written for; all when absent. */
  readonly on?: readonly EmulatedKind[] | undefined;
  /** Whether it looks into terminals, which only emulated ones in the same process allow. */
  readonly inside: boolean;
  readonly abilities: readonly Ability[];
  /** At least so many terminals. */
  readonly terminals: number;
  /** What it destroys at terminals, in words; nothing when absent. */
  readonly destroys?: string | undefined;
}

/** What a rig has to give. */
export interface Gives {
  readonly kind: RigKind;
  readonly abilities: readonly Ability[];
  readonly terminals: number;
  readonly consents: boolean;
}

/** Why a behaviour is left out on a rig; `undefined` when it runs. */
export function leftOut(needs: Needs, gives: Gives): string | undefined {
  const { kind } = gives;
  if (kind === 'ports' && needs.inside) return 'needs emulated terminals, to look inside or make them sick';
  if (kind !== 'ports' && needs.on?.includes(kind) === false) return elsewhere(needs.on);
  const [missing] = needs.abilities.filter((one) => !gives.abilities.includes(one));
  if (missing !== undefined) return `needs ${ABILITIES[missing]}`;
  if (gives.terminals < needs.terminals)
    return `needs ${counted(needs.terminals, 'terminal')}, and the rig has ${gives.terminals}`;
  if (needs.destroys !== undefined && !gives.consents)
    return `destructive (${needs.destroys}): needs --allow-destructive`;
  return undefined;
}

function elsewhere(on: readonly EmulatedKind[]): string {
  if (on.join() === 'memory') return 'needs virtual time, or lines in memory';
  return `says nothing new here: it is for ${on.join(' and ')}`;
}
