import { seededRandom } from '@whorl/protocol';
import type { User } from '@whorl/protocol';

const random = seededRandom(7);

/** Name, validity, a card, two fingers: 4 templates of 384 bytes. */
export function fingerUser(id: number): User {
  return {
    id,
    name: `User ${id}`,
    validity: { from: 1_767_225_600, until: 0 },
    'card.0': card(),
    'finger.0': finger(),
    'finger.1': finger(),
  };
}

/** Two cards, ten fingers, a photo of 16 KiB: about 24 KB. */
export function fullUser(id: number): User {
  const fingers = Object.fromEntries(Array.from({ length: 10 }, (_, slot) => [`finger.${slot}`, finger()]));
  return {
    id,
    name: `User ${id}`,
    validity: { from: 1_767_225_600, until: 0 },
    'card.0': card(),
    'card.1': card(),
    ...fingers,
    photo: random.bytes(16 * 1024),
  };
}

function card(): NonNullable<User['card.0']> {
  return { format: 1, number: random.bytes(7) };
}

function finger(): NonNullable<User['finger.0']> {
  return { format: 1, quality: 80, first: random.bytes(384), second: random.bytes(384) };
}
