import { describe, expect, test } from 'vitest';
import { isOnline, next } from './chart.ts';
import type { ChartEvent, ChartState } from './chart.ts';

/** Everything that can happen, in any order. */
const EVENTS = ['power', 'log-in', 'log-out', 'done', 'error', 'boot'] as const;
type Happening = (typeof EVENTS)[number];

const NEW: ChartState = { who: 'rest', supply: false, sync: 'none', mode: 'offline' };

/** `power` is the plug: voltage that is there goes, and that is not there comes. */
function eventOf(happening: Happening, { supply }: ChartState): ChartEvent {
  switch (happening) {
    case 'power':
      return { name: 'supply', present: !supply };
    case 'done':
    case 'error':
      return { name: 'ended' };
    case 'boot':
      return { name: 'boot', supply };
    default:
      return { name: happening };
  }
}

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
function reference(order: readonly Happening[]): string[] {
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

function chart(order: readonly Happening[]): string[] {
  let state = NEW;
  return order.map((happening) => {
    const before = state;
    state = next(state, eventOf(happening, state), true);
    const syncs = state.sync === 'automatic';
    return `${syncs && before.sync === 'none' ? 'begins' : ''} ${syncs ? 'syncs' : ''} ${state.who === 'in' ? 'in' : ''}`;
  });
}

function* orders(length: number): Generator<readonly Happening[]> {
  for (let number = 0; number < EVENTS.length ** length; number += 1) {
    const order: Happening[] = [];
    for (let left = number; order.length < length; left = Math.floor(left / EVENTS.length))
      order.push(EVENTS[left % EVENTS.length] ?? 'boot');
    yield order;
  }
}

describe('the chart of automatic sync', () => {
  test('P7 in every order of seven events an automatic sync begins when the rules say so, and at no other time', () => {
    let begun = 0;
    for (const order of orders(7)) {
      const told = chart(order).join('|');
      if (told !== reference(order).join('|'))
        expect(chart(order), order.join(', ')).toEqual(reference(order));
      if (told.includes('begins')) begun += 1;
    }
    expect(begun).toBeGreaterThan(1_000);
  });

  test('P8 while it syncs it is online, and afterwards what it was, in every order of six events', () => {
    for (const order of orders(6)) {
      let state = NEW;
      for (const happening of order) {
        state = next(state, eventOf(happening, state), true);
        if (state.mode !== 'offline' || isOnline(state) !== (state.sync !== 'none'))
          expect.fail(`${order.join(', ')}: ${JSON.stringify(state)}`);
      }
    }
  });

  test('P7 switched off, nothing begins by itself', () => {
    for (const order of orders(5)) {
      let state = NEW;
      for (const happening of order) state = next(state, eventOf(happening, state), false);
      if (state.sync !== 'none') expect.fail(order.join(', '));
    }
  });

  test('P4 by hand it begins online and logged in only', () => {
    const begins = (state: ChartState): string => next(state, { name: 'sync' }, true).sync;
    expect(begins({ ...NEW, who: 'in', mode: 'online' })).toBe('by-hand');
    expect(begins({ ...NEW, who: 'in', mode: 'offline' })).toBe('none');
    expect(begins({ ...NEW, who: 'rest', mode: 'online' })).toBe('none');
  });
});
