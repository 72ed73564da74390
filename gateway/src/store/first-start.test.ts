import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { machine } from './ground.ts';
import type { Connection, Ground } from './ground.ts';
import { openStore } from './open.ts';
import type { StoreOptions } from './open.ts';
import { change, codeFrom, directory } from './testing/sealed.ts';

/** This machine, telling before and after each thing that it does to files and the database. */
function tellingGround(tell: () => void): Ground {
  const telling =
    <Values extends unknown[], Result>(work: (...values: Values) => Result) =>
    (...values: Values): Result => {
      tell();
      const result = work(...values);
      tell();
      return result;
    };
  const { files } = machine;
  const told = {
    ...files,
    renameSync: telling((from: string, to: string) => files.renameSync(from, to)),
    openSync: telling((...given: Parameters<typeof files.openSync>) => files.openSync(...given)),
    writeSync: telling((...given: Parameters<typeof files.writeSync>) => files.writeSync(...given)),
  };
  const connect = (path: string): Connection => {
    const made = machine.connect(path);
    made.exec = telling(made.exec.bind(made));
    const prepare = made.prepare.bind(made);
    made.prepare = (sql) => {
      const statement = prepare(sql);
      if (/INSERT INTO (masters|keys)/.test(sql)) statement.run = telling(statement.run.bind(statement));
      return statement;
    };
    return made;
  };
  return { ...machine, files: told, connect };
}

async function filled(data: string, options: Partial<StoreOptions> = {}): Promise<void> {
  const store = openStore({ data, ...options });
  await store.saveUser(change(7));
  await store.close();
}

const opens = (options: StoreOptions): Promise<string | undefined> =>
  codeFrom(() => openStore(options).close());

test('killed at any step of the very first start, the next one goes on by itself, and with the one key', async () => {
  const data = directory();
  const moments: string[] = [];
  const store = openStore({
    data,
    ground: tellingGround(() => {
      const moment = directory();
      cpSync(data, moment, { recursive: true });
      moments.push(moment);
    }),
  });
  await store.close();
  expect(moments.length).toBeGreaterThan(15);
  const keys = new Set<string>();
  for (const moment of moments) {
    const held = readdirSync(moment).find((name) => /^master\.key(\.first)?$/.test(name));
    const before = held === undefined ? undefined : readFileSync(join(moment, held), 'utf8');
    await filled(moment);
    const after = readFileSync(join(moment, 'master.key'), 'utf8');
    if (before !== undefined) expect(after).toBe(before);
    expect(existsSync(join(moment, 'master.key.first'))).toBe(false);
    keys.add(before === undefined ? 'made later' : 'there');
    const again = openStore({ data: moment });
    expect((await again.user(7))?.record.id).toBe(7);
    await again.close();
  }
  expect(keys).toEqual(new Set(['made later', 'there']));
}, 60_000);

test('a gateway whose database is gone or empty does not begin as an empty site by itself, and nothing is made', async () => {
  const data = directory();
  await filled(data);
  const key = readFileSync(join(data, 'master.key'));
  const kept = directory();
  cpSync(data, kept, { recursive: true });
  for (const name of readdirSync(data).filter((one) => /^whorl\.db(-wal|-shm)?$/.test(one)))
    rmSync(join(data, name));
  expect(await opens({ data })).toBe('STORE_VANISHED');
  expect(existsSync(join(data, 'whorl.db')), 'a restore finds no database in its way').toBe(false);
  writeFileSync(join(data, 'whorl.db'), '');
  expect(await opens({ data }), 'an empty file').toBe('STORE_VANISHED');
  truncateSync(join(data, 'whorl.db'));
  expect(await opens({ data, fresh: true }), 'with a word of somebody').toBeUndefined();
  expect(await opens({ data })).toBeUndefined();
  expect(readFileSync(join(data, 'master.key'))).toEqual(key);
  for (const name of readdirSync(data)) rmSync(join(data, name));
  cpSync(kept, data, { recursive: true });
  const back = openStore({ data });
  expect(await back.countUsers(), 'put back').toBe(1);
  await back.close();
});

test('with a master key that is given from elsewhere, what lies beside the database tells that there was one', async () => {
  const data = directory();
  const environment = { WHORL_MASTER_KEY: Buffer.alloc(32, 9).toString('base64') };
  await filled(data, { environment });
  rmSync(join(data, 'whorl.db'));
  expect(await opens({ data, environment })).toBe('STORE_VANISHED');
  expect(await opens({ data: directory(), environment }), 'a new machine').toBeUndefined();
});

test('a data directory that cannot be made is told as that, and not as a broken disk', () => {
  const file = join(directory(), 'file');
  writeFileSync(file, '');
  const data = join(file, 'data');
  const message = `${data}: a part of the path is no folder`;
  expect(() => openStore({ data })).toThrow(
    expect.objectContaining({ code: 'STORE_FOLDER', message }) as Error,
  );
});
