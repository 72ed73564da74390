import type { Mutant } from './mutant.ts';

const SYNC = 'gateway/src/sync';

/** Of how things are done: what is told of them, what travels, who waits; and what the simulation found once. */
export const MUTANTS_OF_WAYS: readonly Mutant[] = [
  {
    name: 'nobody is invited while somebody is greeted',
    file: 'gateway/src/terminals/whorl/presence.ts',
    from: 'if (!this.#open || this.#asking) return;',
    to: 'if (!this.#open || this.#asking || this.#meeting !== undefined) return;',
    by: 'programmes',
  },
  {
    name: 'who was brought after the backup stays where no group of theirs reaches',
    file: `${SYNC}/trust.ts`,
    from: "wentBack(doubt) || doubt === 'restored' ?",
    to: 'wentBack(doubt) ?',
    by: 'backups',
  },
  {
    name: 'who is deleted before what was fetched is merged is taken to be there',
    file: 'gateway/src/store/sqlite-store.ts',
    from: 'pulls.movePull(this.#db, { ...row, nextTry: time });',
    to: 'pulls.movePull(this.#db, { ...row, log: 0, nextTry: time });',
    by: 'programmes',
  },
  {
    name: 'whom a terminal brings back while auto sync is off stays there',
    file: `${SYNC}/trust.ts`,
    from: 'const again = wentBack(doubt) ?',
    to: 'const again = wentBack(doubt) && missing.length < 0 ?',
    by: 'programmes',
  },
  {
    name: 'who was deleted comes back with an older state of a terminal',
    file: `${SYNC}/returned.ts`,
    from: 'if (tombstone === undefined || !isBack',
    to: 'if (tombstone === undefined || tombstone.user >= 0 || !isBack',
    by: 'programmes',
  },
  {
    name: 'who has a new session is taken for who had the old one',
    file: 'gateway/src/terminals/whorl/presence.ts',
    from: 'member.renewed(greeting.welcome);',
    to: 'member.alive(greeting.attention);',
    by: 'programmes',
  },
  {
    name: 'what a comparison saw is trusted though the log has not shown it',
    file: `${SYNC}/agent.ts`,
    from: '        this.#doubt = undefined;\n      return 0;',
    to: '        [this.#doubt] = [undefined, this.#unseen.shown()];\n      return 0;',
    by: 'programmes',
  },
  {
    name: 'who was found there and is gone is taken to be there',
    file: `${SYNC}/trust.ts`,
    from: "delivered !== undefined || state === 'verified'",
    to: "delivered !== undefined && state !== 'sending'",
    by: 'backups',
  },
  {
    name: 'a roll is called to nobody',
    file: 'gateway/src/terminals/whorl/presence.ts',
    from: 'rollAt: called === 0 ? never : this.#rollDue',
    to: 'rollAt: called < 0 ? never : this.#rollDue',
    by: 'programmes',
  },
  {
    name: 'hands that are raised at once are not seen',
    file: 'gateway/src/lines/turns.ts',
    from: '      if (several) this.#hand(undefined);',
    to: '      void several;',
    by: 'programmes',
  },
  {
    name: 'bulk goes before live events',
    file: 'gateway/src/lines/queue.ts',
    from: 'for (const queue of this.#queues.values()) {',
    to: 'for (const queue of [...this.#queues.values()].reverse()) {',
    by: 'programmes',
  },
  {
    name: 'a comparison sees what a terminal cannot hold',
    file: `${SYNC}/comparisons.ts`,
    from: 'recordDigest(fitting(user.record, at.capabilities))',
    to: 'recordDigest(user.record)',
    by: 'programmes',
  },
  {
    name: 'a dry run does not tell of everybody who is removed',
    file: `${SYNC}/preview.ts`,
    from: "return there || before === undefined ? { user, terminal, effect: 'removed' } : undefined;",
    to: "return (there || before === undefined) && user > 2 ? { user, terminal, effect: 'removed' } : undefined;",
    by: 'programmes',
  },
  {
    name: 'whole users travel for a changed name',
    file: `${SYNC}/push.ts`,
    from: 'held: held && fittingFields(held, capabilities),',
    to: 'held: undefined,',
    by: 'programmes',
  },
  {
    name: 'two people under one number are taken for one',
    file: `${SYNC}/pulled.ts`,
    from: 'held !== undefined && it.settings.hold ?',
    to: 'held !== undefined && it.settings.hold && held.version < 0 ?',
    by: 'programmes',
  },
  {
    name: 'what a terminal cannot hold is found out by sending it',
    file: `${SYNC}/push.ts`,
    from: '    const record = fitting(user.record, capabilities);',
    to: '    const record = row.attempts === 0 ? user.record : fitting(user.record, capabilities);',
    by: 'programmes',
  },
];
