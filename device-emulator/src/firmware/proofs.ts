import { isPin } from '@whorl/protocol';
import type { CredentialKind, FieldName, User } from '@whorl/protocol';

/** What somebody shows at a terminal. */
export type Proof = CredentialKind | 'pin';

/**
 * What a user still has to show after what was shown: what `authMode` names, whichever comes first.
 * @returns `nothing` when it is enough, `wrong` when what was shown is none of it
 */
export function stillNeeded(user: User | undefined, shown: readonly Proof[]): Proof | 'nothing' | 'wrong' {
  const mode = user?.authMode ?? 'any';
  if (mode === 'any') return shown.length > 0 ? 'nothing' : 'pin';
  const asked = mode.split('+').filter(isProof);
  if (!shown.every((one) => asked.includes(one))) return 'wrong';
  return asked.find((one) => !shown.includes(one)) ?? 'nothing';
}

function isProof(word: string): word is Proof {
  return word === 'card' || word === 'finger' || word === 'face' || word === 'pin';
}

/** The field by which a finger or face is known, if the terminal holds it. @param slot any one when not given */
export function heldCredential(
  user: User | undefined,
  kind: CredentialKind,
  slot: number | undefined,
): FieldName | undefined {
  const names = fieldNames(user).filter((name) => name.startsWith(`${kind}.`));
  return slot === undefined ? names[0] : names.find((name) => name === `${kind}.${slot}`);
}

/** Checks a PIN; a user without one has none that is right. */
export function isPinOf(user: User | undefined, pin: string): boolean {
  return user?.pin !== undefined && isPin(pin, user.pin);
}

function fieldNames(user: User | undefined): FieldName[] {
  return Object.entries(user ?? {})
    .filter(([name, value]) => name !== 'id' && value !== undefined)
    .map(([name]) => name as FieldName);
}
