import type { MessageName } from '@whorl/protocol';

/** Something that a firmware does otherwise than the protocol says, or than one would wish. */
interface Quirk {
  /** What it does. */
  readonly doc: string;
  /** What an installer sees of it. */
  readonly field: string;
  /** Messages that it does not know. */
  readonly unknown?: readonly MessageName[];
}

export const QUIRKS = {
  'attention-sticks': {
    doc: 'says in every answer that it has log records to be read, whether it has or not',
    field: 'Its log is read again and again and nothing is in it: the line is busier than its neighbours’.',
  },
  'clock-forgotten': {
    doc: 'wakes up on 1 January 2000 whenever it had no power',
    field: 'No battery for its clock: after each power failure its log begins in another century.',
  },
  'flash-half-written': {
    doc: 'keeps half of what it was storing in the second before its power went, and takes it for whole',
    field: 'After a power failure one person is refused who was let in an hour ago: a template is half ones.',
  },
  'flash-loses-last': {
    doc: 'says that something is stored a second before it is: when its power goes within, it is lost',
    field: 'The gateway was told that somebody was stored; after the power failure nobody knows them.',
  },
  'flash-old-returns': {
    doc: 'has what it stored in the second before its power went in its former version afterwards',
    field:
      'After a power failure somebody who was deleted is let in again, or an old card is good once more.',
  },
  'log-counter-late': {
    doc: 'stores its log’s counter every eighth record: ids given since are given again after a restart',
    field: 'After a restart some of its records are gone, and new ones have their numbers.',
  },
  'names-cut': {
    doc: 'cuts names at 16 bytes and says nothing of it',
    field: 'Its display shows half of a long name, and it never becomes what the gateway sent.',
  },
  'no-broadcasts': {
    doc: 'knows nothing of what is said to a whole line',
    field: 'It gets everything, but alone: a line with such terminals takes longer for the same users.',
    unknown: ['group.set', 'roll.call', 'transfer.announce', 'transfer.share'],
  },
  'no-sketch': {
    doc: 'cannot tell by a sketch in what its users differ',
    field: 'Comparing it takes as long as listing all of its users.',
    unknown: ['sketch.read'],
  },
  'pin-edits-unlogged': {
    doc: 'does not log that somebody changed a PIN at its menu',
    field: 'A PIN that was changed at this door works at no other, until the terminal is compared.',
  },
} as const satisfies Readonly<Record<string, Quirk>>;

export type QuirkName = keyof typeof QUIRKS;

export const QUIRK_NAMES: readonly [QuirkName, ...QuirkName[]] = Object.keys(QUIRKS) as [
  QuirkName,
  ...QuirkName[],
];

/** Messages that a firmware with these quirks does not know. */
export function unknownTo(quirks: Iterable<QuirkName>): ReadonlySet<MessageName> {
  const unknown = new Set<MessageName>();
  for (const name of quirks) {
    const quirk: Quirk = QUIRKS[name];
    for (const message of quirk.unknown ?? []) unknown.add(message);
  }
  return unknown;
}
