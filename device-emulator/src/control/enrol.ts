import { codeOf, counted, credentialOf, describe, FIELDS, sleep, WhorlError } from '@whorl/protocol';
import type { Clock, CredentialKind, FieldName, User } from '@whorl/protocol';
import type { Enrolment } from '../firmware/enrolment.ts';
import type { Terminal } from '../firmware/terminal.ts';

/** Users enrolled without a pause: the other terminals of the process must answer meanwhile. */
const WITHOUT_PAUSE = 20;

/**
 * Enrols one user after another. Ids count up from the first one given; a name gets a number when there are several.
 * Whoever is given no credential gets the next one that the terminal can read.
 * @returns their ids
 * @throws WhorlError as {@link Terminal.enrol}, saying how many were enrolled before
 */
export async function enrolMany(
  terminal: Terminal,
  clock: Clock,
  { count, ...enrolment }: Enrolment & { readonly count: number },
): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < count; i += 1) {
    if (i > 0 && i % WITHOUT_PAUSE === 0) await sleep(clock, 0);
    const user = enrolment.user === undefined ? undefined : enrolment.user + i;
    const name = enrolment.name === undefined || count === 1 ? enrolment.name : `${enrolment.name} ${i + 1}`;
    try {
      ids.push(terminal.enrol(withCredential(terminal, { ...enrolment, user, name })));
    } catch (cause) {
      const code = codeOf(cause);
      if (code === undefined || count === 1) throw cause;
      throw new WhorlError(
        code,
        `${i} of ${counted(count, 'user')} were enrolled, then: ${describe(cause)}`,
        {
          cause,
        },
      );
    }
  }
  return ids;
}

function withCredential(terminal: Terminal, enrolment: Enrolment): Enrolment {
  const { finger, fingers, card, face, user } = enrolment;
  if ([finger, fingers, card, face].some((one) => one !== undefined)) return enrolment;
  const { kind, slot = 0 } = credentialOf(FIELDS[vacantCredential(terminal, user)].number) ?? {};
  return { ...enrolment, [kind ?? 'card']: slot };
}

/** The next credential that the terminal can read of a user. */
export function vacantCredential(terminal: Terminal, user: number | undefined): FieldName {
  const { capabilities } = terminal.model;
  const held = user === undefined ? undefined : terminal.user(user);
  if (capabilities.fingers > 0) return `finger.${vacant(held, 'finger', capabilities.fingers)}` as FieldName;
  if (capabilities.faces > 0) return `face.${vacant(held, 'face', capabilities.faces)}` as FieldName;
  return `card.${vacant(held, 'card', capabilities.cards)}` as FieldName;
}

/** The first slot that the user has free; the first of all when none is. */
function vacant(held: User | undefined, kind: CredentialKind, slots: number): number {
  for (let slot = 0; slot < slots; slot += 1)
    if (held?.[`${kind}.${slot}` as FieldName] === undefined) return slot;
  return 0;
}
