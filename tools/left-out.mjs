/**
 * A vitest reporter that says in plain words what a run left out and why: each test that skipped itself with a note
 * (`context.skip('no Mosquitto here: apt-get install mosquitto')`), counted by note.
 *
 * @implements {import('vitest/reporters').Reporter}
 */
export default class LeftOut {
  /** @param {ReadonlyArray<import('vitest/node').TestModule>} modules */
  onTestRunEnd(modules) {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const note = ('note' in result ? result.note : undefined) ?? 'switched off in the source';
        counts.set(note, (counts.get(note) ?? 0) + 1);
      }
    }
    if (counts.size === 0) return;
    console.log('\n Left out on this machine:');
    for (const [note, count] of counts) console.log(`   ${count} ${count === 1 ? 'test' : 'tests'}: ${note}`);
  }
}
