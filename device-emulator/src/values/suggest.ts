import { nearest } from '@whorl/protocol';

/** What to say of a word that is not known: the one that was probably meant, or all that there are. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
}
