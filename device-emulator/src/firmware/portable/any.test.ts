import { MESSAGE_NAMES, PORTABLE_ROWS, rowOf } from '@whorl/protocol';
import type { Message } from '@whorl/protocol';
import { arbitraryMessage } from '@whorl/protocol/messages/arbitrary';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bench } from '../../testing/bench.ts';
import { LOG_IN, portableBench } from '../../testing/portable.ts';

const REQUESTS = MESSAGE_NAMES.filter(
  (name) => Object.hasOwn(PORTABLE_ROWS, name) && rowOf(name).direction === 'to-terminal',
);

/** Requests of any content; those about slices and files now and then of what is there. */
const requests = fc.array(fc.oneof(...REQUESTS.map(arbitraryMessage)), { minLength: 1, maxLength: 12 });

test('P10 whatever a gateway asks in whatever order, it is answered, and the live table and the journal stay whole', () => {
  fc.assert(
    fc.property(requests, (messages: readonly Message[]) => {
      const { terminal, asker } = portableBench({ synced: true });
      terminal.press(LOG_IN);
      terminal.enrol({ user: 9, card: 0 });
      terminal.press({ button: 'sync', mode: 'synchronise' });
      const [table, unsent] = [terminal.tableDigest, terminal.display.unsent];
      for (const { name, body } of messages) {
        const answer = asker.ask(name, body);
        expect([rowOf(name).answer, 'refused'], name).toContain(answer.name);
      }
      expect(terminal.power).toBe('on');
      expect(terminal.tableDigest).toBe(table);
      if (!messages.some(({ name }) => name === 'journal.settle'))
        expect(terminal.display.unsent).toEqual(unsent);
    }),
    { numRuns: 60 },
  );
});

test('P10 a terminal that is not portable refuses all of it', () => {
  const { asker } = bench();
  asker.hello();
  for (const name of REQUESTS) {
    const [message] = fc.sample(arbitraryMessage(name), { numRuns: 1, seed: 1 });
    if (message === undefined) continue;
    expect(asker.ask(message.name, message.body)).toMatchObject({
      name: 'refused',
      body: { reason: 'unknown-message' },
    });
  }
});
