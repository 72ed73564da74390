import { describe, expect, test } from 'vitest';
import { orders, reference } from '../../testing/orders.ts';
import type { Happening } from '../../testing/orders.ts';
import { isOnline, next } from './chart.ts';
import type { ChartEvent, ChartState } from './chart.ts';

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

function chart(order: readonly Happening[]): string[] {
  let state = NEW;
  return order.map((happening) => {
    const before = state;
    state = next(state, eventOf(happening, state), true);
    const syncs = state.sync === 'automatic';
    return `${syncs && before.sync === 'none' ? 'begins' : ''} ${syncs ? 'syncs' : ''} ${state.who === 'in' ? 'in' : ''}`;
  });
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
