import { seededRandom, VirtualClock } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { orders, reference } from '../../testing/orders.ts';
import type { Happening } from '../../testing/orders.ts';
import { LOG_IN, MIRA, quickVerifier } from '../../testing/portable.ts';
import { MemoryFlash } from '../flash.ts';
import { MODELS } from '../../models/built-in.ts';
import { Store } from '../store.ts';
import { storedOperators } from './lists.ts';
import { Portable } from './portable.ts';

const OPERATORS = storedOperators.write([{ ...MIRA, verifier: quickVerifier(MIRA.pin) }]);
const NO_PROGRESS = { done: 0, total: 0, bytes: 0, rate: 0, left: 0 } as const;

/** A terminal from one start to the next, on the flash that outlives it. */
class Worn {
  readonly #clock = new VirtualClock();
  readonly #flash = new MemoryFlash();
  #supply = false;
  #begun = 0;
  portable = this.#start();

  #start(): Portable {
    const store = new Store({
      flash: this.#flash,
      model: MODELS['portable-5k'],
      clock: this.#clock,
      random: seededRandom(1),
    });
    if (store.state.portable.operators.length === 0)
      store.change(
        [
          { name: 'operators', bytes: OPERATORS },
          { name: 'synced', task: 3 },
          { name: 'mode', mode: 'offline' },
        ],
        [],
      );
    return new Portable({ store, clock: this.#clock, supply: this.#supply });
  }

  happen(happening: Happening): string {
    const before = this.#syncing;
    this.#do(happening);
    const { window, operator, mode, online } = this.portable.display;
    const syncs = window?.kind === 'progress';
    const begins = syncs && window.number !== before;
    this.#begun = begins ? window.number : this.#begun;
    if (mode !== 'offline' || online !== syncs) expect.fail('P8 the mode is not what it was');
    return `${begins ? 'begins' : ''} ${syncs ? 'syncs' : ''} ${operator === undefined ? '' : 'in'}`;
  }

  get #syncing(): number | undefined {
    const { window } = this.portable.display;
    return window?.kind === 'progress' ? window.number : undefined;
  }

  #do(happening: Happening): void {
    switch (happening) {
      case 'power':
        this.#supply = !this.#supply;
        {
          this.portable.setSupply(this.#supply);
          return;
        }
      case 'boot':
        this.portable = this.#start();
        return;
      case 'done':
        this.portable.told({ ...NO_PROGRESS, number: this.#begun, stage: 'done', reason: '' });
        return;
      case 'error':
        this.portable.told({ ...NO_PROGRESS, number: this.#begun, stage: 'failed', reason: 'no disk' });
        return;
      default: {
        this.#press(happening);
        return;
      }
    }
  }

  /** Nobody logs in or out while the window of a sync is open, and nobody out who is not in. */
  #press(button: 'log-in' | 'log-out'): void {
    try {
      this.portable.press(button === 'log-in' ? LOG_IN : { button });
    } catch {
      return;
    }
  }
}

describe('the terminal itself', () => {
  test('P7 P8 in every order of five events it syncs by itself when the rules say so, offline before and after', () => {
    for (const order of orders(5)) {
      const worn = new Worn();
      const told = order.map((happening) => worn.happen(happening));
      const expected = reference(order);
      if (told.join('|') !== expected.join('|')) expect(told, order.join(', ')).toEqual(expected);
    }
  });

  test('P7 the night: it is put into its dock, then the operator logs out, and it syncs once', () => {
    const worn = new Worn();
    const night = ['log-in', 'power', 'log-out', 'done', 'power', 'power', 'boot'] as const;
    expect(night.map((happening) => worn.happen(happening).trim())).toEqual([
      'in',
      'in',
      'begins syncs',
      '',
      '',
      '',
      '',
    ]);
  });

  test('P9 an automatic sync that failed stays red while it is taken out and put back, and is not begun again', () => {
    const worn = new Worn();
    for (const happening of ['log-in', 'log-out', 'power', 'error', 'power', 'power', 'boot'] as const)
      worn.happen(happening);
    expect(worn.portable.display.window).toEqual({ kind: 'message', colour: 'red', text: 'no disk' });
  });
});
