/** A bug that is put into the gateway on purpose. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file once. */
  readonly from: string;
  readonly to: string;
  /** What has to find it. */
  readonly by: 'powerloss' | 'programmes' | 'portables';
}

const STORE = 'gateway/src/store';
const SYNC = 'gateway/src/sync';
const TASKS = 'gateway/src/tasks';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'commits are not synced',
    file: `${STORE}/migrations.ts`,
    from: 'PRAGMA synchronous = FULL;',
    to: 'PRAGMA synchronous = NORMAL;',
    by: 'powerloss',
  },
  {
    name: 'steps are acknowledged before the commit',
    file: `${STORE}/sqlite.ts`,
    from: "    this.run('COMMIT');\n    return settled;\n  }\n\n  /** Each",
    to: "    for (const settle of settled) settle();\n    this.run('COMMIT');\n    return settled;\n  }\n\n  /** Each",
    by: 'powerloss',
  },
  {
    name: 'a migration is not one transaction',
    file: `${STORE}/migrations.ts`,
    from: 'BEGIN IMMEDIATE; ${step}; PRAGMA application_id',
    to: 'SELECT 1; ${step}; BEGIN; PRAGMA application_id',
    by: 'powerloss',
  },
  {
    name: 'a file is not synced before it takes its name',
    file: `${STORE}/durable.ts`,
    from: '    files.fsyncSync(file);',
    to: '',
    by: 'powerloss',
  },
  {
    name: 'the name of a file is not synced',
    file: `${STORE}/durable.ts`,
    from: '    files.fsyncSync(directory);',
    to: '',
    by: 'powerloss',
  },
  {
    name: 'the name of the data directory is not synced',
    file: `${STORE}/durable.ts`,
    from: '  syncDirectory(files, above);',
    to: '',
    by: 'powerloss',
  },
  {
    name: 'an erasure that was cut off is forgotten',
    file: `${STORE}/backups.ts`,
    from: '      putNote(db, UNFINISHED_NOTE, JSON.stringify([...new Set([...this.#unfinished(), user])]));',
    to: '',
    by: 'powerloss',
  },
  {
    name: 'a change is saved whatever version it was made from',
    file: `${STORE}/sqlite-store.ts`,
    from: '          (users.heldUser(this.#db, user)?.version ?? 0) === from &&',
    to: '          from >= 0 && user > 0 &&',
    by: 'powerloss',
  },
  {
    name: 'a record of a log is stored as often as it comes',
    file: `${STORE}/tables/events.ts`,
    from: '      event.source ?? null,\n    );\n    // Asked',
    to: '      null,\n    );\n    // Asked',
    by: 'powerloss',
  },
  {
    name: 'the log of the database is not emptied after an erasure, nor the keys beside backups renewed',
    file: `${STORE}/backups.ts`,
    from: '    const unreached = [...this.renewKeys(), ...new Set(aside)];',
    to: '    const unreached = [...new Set(aside)];',
    by: 'powerloss',
  },
  {
    name: 'an echo is taken for news',
    file: `${SYNC}/intake.ts`,
    from: "    if (record.origin !== 'terminal') continue;",
    to: '',
    by: 'programmes',
  },
  {
    name: 'a gap in a log is not seen',
    file: `${SYNC}/intake.ts`,
    from: '  const lost = gapIn(position, page);',
    to: '  const lost = page.log.last < 0 ? gapIn(position, page) : undefined;',
    by: 'programmes',
  },
  {
    name: 'a pull is closed although a newer log came meanwhile',
    file: `${STORE}/tables/pulls.ts`,
    from: "'DELETE FROM pulls WHERE terminal = ? AND user = ? AND log <= ?'",
    to: "'DELETE FROM pulls WHERE terminal = ? AND user = ? AND log <= ? + 1000000'",
    by: 'programmes',
  },
  {
    name: 'what was on its way is forgotten by a restart',
    file: `${STORE}/tables/ledger.ts`,
    from: "AND state IN ('sending', 'failed') AND (state = 'sending' OR reason = 'unreachable')",
    to: "AND state = 'failed' AND reason = 'unreachable'",
    by: 'programmes',
  },
  {
    name: 'a result is taken for a newer version than it speaks of',
    file: `${STORE}/tables/ledger.ts`,
    from: "WHERE user = ?6 AND terminal = ?7 AND want = ?8 AND version = ?9 AND state = 'sending'",
    to: 'WHERE user = ?6 AND terminal = ?7 AND want = ?8 AND version >= ?9',
    by: 'programmes',
  },
  {
    name: 'a deletion at a terminal is not noticed',
    file: `${SYNC}/intake.ts`,
    from: "  return record.code === LOG_KINDS['user.deleted'].code && record.origin === 'terminal';",
    to: "  return record.code === LOG_KINDS['user.deleted'].code && record.origin !== 'terminal' && record.id < 0;",
    by: 'programmes',
  },
  {
    name: 'a difference that a merge did not take is dropped',
    file: `${SYNC}/merge.ts`,
    from: "  if (kept) return [whole ? 'same' : 'conflict'];",
    to: "  if (kept) return [whole ? 'same' : 'same'];",
    by: 'programmes',
  },
  {
    name: 'a terminal wins over what the gateway has',
    file: `${SYNC}/merge.ts`,
    from: '  const kept = value === undefined || (ours !== undefined && sameBytes(value, ours));\n  if (kept)',
    to: "  if (ours !== undefined) return ['replaced', theirs];\n  const kept = value === undefined;\n  if (kept)",
    by: 'programmes',
  },
  {
    name: 'who does not answer a roll call is not looked for',
    file: 'gateway/src/terminals/whorl/presence.ts',
    from: '        missing = true;\n        seat.missed = true;\n',
    to: '        missing = true;\n',
    by: 'programmes',
  },
  {
    name: 'what a terminal refuses is taken for done',
    file: `${SYNC}/push.ts`,
    from: "return outcome?.kind === 'verified' ? verified(site, row) : failed(site, row, refusal(outcome));",
    to: 'return outcome === undefined ? failed(site, row, refusal(outcome)) : verified(site, row);',
    by: 'programmes',
  },
  {
    name: 'a result that the database did not take is forgotten',
    file: `${SYNC}/push.ts`,
    from: '    unsettled(write);',
    to: '    void unsettled;',
    by: 'programmes',
  },
  {
    name: 'what was written and not seen in the log is trusted',
    file: `${SYNC}/agent.ts`,
    from: 'if (this.#unseen.isDoubtful(identity)) await',
    to: 'if (this.#unseen.isDoubtful(identity) && identity.users < 0) await',
    by: 'programmes',
  },
  {
    name: 'that a log went back is forgotten when the database does not take it',
    file: `${SYNC}/agent.ts`,
    from: '    if (!other) this.#logOf = identity;',
    to: '    this.#logOf = identity;',
    by: 'programmes',
  },
  {
    name: 'what is gone while auto sync is off is still taken for there',
    file: `${SYNC}/trust.ts`,
    from: 'const wrong = anew ? rowsOf([...missing, ...different]) : [];',
    to: 'const wrong = anew && missing.length < 0 ? rowsOf([...missing, ...different]) : [];',
    by: 'programmes',
  },
  {
    name: 'an event is taken for said before a broker has it',
    file: 'gateway/src/mqtt/publisher.ts',
    from: '    for (const slice of slices(events.map((event) => said(root, event))))\n',
    to: '    this.#last = newest.id;\n    await this.#note();\n    for (const slice of slices(events.map((event) => said(root, event))))\n',
    by: 'programmes',
  },
  {
    name: 'a command that comes twice is done twice',
    file: 'gateway/src/mqtt/desk.ts',
    from: 'if (known !== undefined && row.changes && this',
    to: 'if (known !== undefined && !row.changes && this',
    by: 'programmes',
  },
  {
    name: 'a record is noted in clear',
    file: `${STORE}/tables/users.ts`,
    from: '    keys.seal(key, next.version, writeRecord(next.record)),',
    to: "    (db.run(\"INSERT INTO notes (key, value) VALUES ('last', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1\", Buffer.from(writeRecord(next.record)).toString('base64')), keys.seal(key, next.version, writeRecord(next.record))),",
    by: 'programmes',
  },
  {
    name: 'what a portable terminal sends again is merged again',
    file: `${TASKS}/sending.ts`,
    from: '  if (before !== undefined) return { ...before, bytes: 0 };',
    to: '  void before;',
    by: 'portables',
  },
  {
    name: 'what a portable terminal sends is answered before it is merged',
    file: `${TASKS}/sending.ts`,
    from: '  let answers: JournalAnswer[] = [];',
    to: "  await it.portable.settle(entries.map(({ seq }) => ({ seq, result: 'merged', reason: '' })), it.signal);\n  let answers: JournalAnswer[] = [];",
    by: 'portables',
  },
  {
    name: 'a sync of a portable terminal is not known any more once it is over',
    file: `${TASKS}/syncs.ts`,
    from: 'isOf(newest, caller.identity, wish) ? newest : undefined;',
    to: "isOf(newest, caller.identity, wish) && newest.state === 'running' ? newest : undefined;",
    by: 'portables',
  },
  {
    name: 'a table that was complete when the portable terminal was cut off is never swapped in',
    file: `${TASKS}/downloading.ts`,
    from: 'return opened.live ? undefined : opened.table;',
    to: 'return undefined;',
    by: 'portables',
  },
  {
    name: 'what was brought to a portable terminal is not noted',
    file: `${TASKS}/session.ts`,
    from: '    await site.store.tasks.saveHeld(driver.name, table.versions, site.now);\n',
    to: '',
    by: 'portables',
  },
  {
    name: 'sending from a portable terminal alone downloads, too',
    file: `${TASKS}/session.ts`,
    from: "      if (wish.mode === 'send') return;",
    to: '',
    by: 'portables',
  },
  {
    name: 'the end of a sync empties the journal of the portable terminal, whatever end it was',
    file: 'device-emulator/src/firmware/portable/state.ts',
    from: '        this.wish = undefined;\n        this.ended = op.ended;',
    to: '        this.wish = undefined;\n        this.#changes.clear();\n        this.ended = op.ended;',
    by: 'portables',
  },
  {
    name: 'a portable terminal syncs by itself again and again in its dock',
    file: 'device-emulator/src/firmware/portable/chart.ts',
    from: "{ ...state, who: 'rest', sync: 'automatic' }",
    to: "{ ...state, sync: 'automatic' }",
    by: 'portables',
  },
];
