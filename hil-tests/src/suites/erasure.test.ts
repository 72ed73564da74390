import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Audit } from '@whorl/gateway/access/audit';
import { systemClock } from '@whorl/protocol';
import { expect, onTestFinished } from 'vitest';
import { ALL, atRest, behaviour, verifiedOn } from '../rig/behaviour.ts';

const NAME = 'A-name-to-search-for';

behaviour(
  'B17 an erased user is gone from every terminal, queue and file, their key from beside the backups; the proof stays',
  async (rig) => {
    const { operations, store } = rig.gateway;
    const out = mkdtempSync(join(tmpdir(), 'whorl-erasure-'));
    onTestFinished(() => {
      rmSync(out, { recursive: true, force: true });
    });
    const written = (): string =>
      readdirSync(out)
        .map((name) => readFileSync(join(out, name)).toString('latin1'))
        .join();
    await operations.addUser(1, { set: { name: 'Ada' }, clear: [] });
    await operations.addUser(2, { set: { name: NAME }, clear: [] });
    rig.terminal('terminal-2').enrol({ user: 2, fingers: 2 });
    await rig.until('the fingers everywhere', () =>
      ALL.every((name) => rig.terminal(name).user(2)?.['finger.1'] !== undefined),
    );
    for (const user of [1, 2]) await verifiedOn(rig, user, ALL);
    // One terminal is away with an edit that was not fetched, and with writes that it has not got.
    await rig.unplug('lab');
    await rig.until('the line is down', async () =>
      (await rig.events()).some(({ type }) => type === 'line.closed'),
    );
    rig.terminal('terminal-5').enrol({ user: 2, finger: 7 });
    await operations.editUser(2, { set: { groups: [1] }, clear: [] });
    await store.backups.make(join(out, 'site.whorl'));

    const audit = new Audit(store.audit, systemClock, () => undefined);
    const deed = { who: 'ada', place: 'here', deed: 'users.erase', target: 'user 2' };
    const { keys, unreached } = await audit.act(deed, () => operations.eraseUser(2, 'ada'));
    expect(keys.length).toBeGreaterThan(0);
    expect(unreached).toEqual([]);
    await rig.plug('lab');
    await rig.until('terminal-5 lost them, too', async () => (await store.ledgerOf([2])).length === 0);
    await atRest(rig);

    expect(ALL.filter((name) => rig.terminal(name).users().has(2))).toEqual([]);
    expect([await store.user(2), await store.openPulls(9), await store.conflictsOf(2)]).toEqual([
      undefined,
      [],
      [],
    ]);
    for (const name of ALL) expect(await store.partials.get(name)).toBeUndefined();
    expect(JSON.stringify(await rig.events())).not.toContain(NAME);
    for (const key of keys) expect(written()).not.toContain(key);
    expect(written()).not.toContain(NAME);
    expect(written(), 'of others there is a key').toMatch(/\["[0-9a-f]{32}",1,/);
    expect(await audit.list({ limit: 9 })).toMatchObject([{ ...deed, outcome: 'done' }]);
    expect(await audit.verify()).toMatchObject({ sound: true });
    await verifiedOn(rig, 1, ALL);
  },
);
