import { expect, onTestFinished, test } from 'vitest';
import { MIGRATIONS, migrate } from '../migrations.ts';
import { Sqlite } from '../sqlite.ts';
import { siteReport } from './site-reports.ts';

/** The release in which a sync id stood for a name. */
const BEFORE = MIGRATIONS.findIndex((step) => step.includes('CREATE TABLE site_tellers'));

test('S5 events that were there before their tellers were remembered are of whoever has or had the sync id', () => {
  let later = (): void => undefined;
  const db = new Sqlite(':memory:', (raw) => {
    migrate(raw, MIGRATIONS.slice(0, BEFORE));
    later = () => migrate(raw);
  });
  onTestFinished(() => db.close());
  db.run("INSERT INTO sites (sync_id, name, sealed) VALUES (2, 'north', x'')");
  db.run("INSERT INTO notes (key, value) VALUES ('site.former.3', 'south')");
  for (const [index, site] of [2, 3, 4, 2].entries())
    db.run(
      `INSERT INTO site_events (site, run, id, time, type, data) VALUES (?, 'a', ?, ?, 'access.granted', '{}')`,
      ...[site, index + 1, index],
    );
  later();
  const rows = siteReport(db, { type: 'access.granted', limit: 10 });
  expect(rows.map(({ teller }) => teller)).toEqual(['north', 'south', undefined, 'north']);
});
