/** For tests: what can happen to a portable terminal, in any order, and what its rules make of that. */

/** Everything that can happen, in any order. */
export const EVENTS = ['power', 'log-in', 'log-out', 'done', 'error', 'boot'] as const;
export type Happening = (typeof EVENTS)[number];

/**
 * P7 in its own words, over the whole history and without states: is there a log-in whose log-out has followed, nobody
 * has logged in since, and no automatic sync has begun since? A power cut in between is no log-out.
 */
function mayBegin(history: readonly string[]): boolean {
  const since = history.slice(history.lastIndexOf('automatic sync begins') + 1);
  const persons = since.filter((one) => ['log-in', 'log-out', 'boot'].includes(one));
  const last = persons.findLastIndex((one) => one === 'log-in');
  return last >= 0 && persons[last + 1] === 'log-out';
}

/** @returns what the rules say of each order: after which of its events an automatic sync begins, and who is in */
export function reference(order: readonly Happening[]): string[] {
  const history: string[] = [];
  let [supply, syncing, inside] = [false, false, false];
  return order.map((happening) => {
    if (happening === 'power') supply = !supply;
    if (happening === 'done' || happening === 'error') syncing = false;
    if (happening === 'boot') inside = false;
    if (happening === 'log-in' && !syncing) inside = true;
    // While its window is open nobody logs in or out, and only who is in goes out.
    const counts = happening === 'log-in' ? !syncing : happening !== 'log-out' || (!syncing && inside);
    if (counts) history.push(happening);
    if (happening === 'log-out') inside = false;
    const begins = supply && !syncing && !inside && mayBegin(history);
    if (begins) history.push('automatic sync begins');
    syncing ||= begins;
    return `${begins ? 'begins' : ''} ${syncing ? 'syncs' : ''} ${inside ? 'in' : ''}`;
  });
}

export function* orders(length: number): Generator<readonly Happening[]> {
  for (let number = 0; number < EVENTS.length ** length; number += 1) {
    const order: Happening[] = [];
    for (let left = number; order.length < length; left = Math.floor(left / EVENTS.length))
      order.push(EVENTS[left % EVENTS.length] ?? 'boot');
    yield order;
  }
}
