import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import pg from 'pg';
import type { ClientSettings, Outcome, Question } from './client.ts';

// The database's side of the client: it asks, while the thread that it works for waits for the answer.

const CONNECT_MS = 5_000;
const STATEMENT_MS = 60_000;
const LOCK_NOT_AVAILABLE = '55P03';
/** Of 64 bits, and of sums: all of ours are exact as numbers. */
const WHOLE = [pg.types.builtins.INT8, pg.types.builtins.NUMERIC];
const DONE: Outcome = { rows: [], changes: 0 };

const types: pg.CustomTypesConfig = {
  getTypeParser: (id, format) =>
    WHOLE.includes(id) ? Number : (pg.types.getTypeParser(id, format) as (value: string) => unknown),
};

const { settings, signal, port } = workerData as {
  readonly settings: ClientSettings;
  readonly signal: SharedArrayBuffer;
  readonly port: MessagePort;
};
const flag = new Int32Array(signal);
let client: pg.Client | undefined;

port.on('message', (question: Question) => {
  void answer(question).then((outcome) => {
    port.postMessage(outcome);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
});

async function answer(question: Question): Promise<Outcome> {
  try {
    if ('end' in question) {
      await client?.end();
      return DONE;
    }
    const known = question.name === undefined ? {} : { name: question.name };
    const connected = client ?? (await connect());
    const query = { ...known, text: question.sql, values: [...question.values] };
    const result = await connected.query<Record<string, unknown>>(query);
    // Of several statements in one there is a list, of which nobody asks for more than that they are done.
    return Array.isArray(result) ? DONE : { rows: result.rows, changes: result.rowCount ?? 0 };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const lost = client === undefined;
    return { error: { code, message: error instanceof Error ? error.message : String(error), lost } };
  }
}

/** One gateway at a time: two would each undo what the other does. The server lets go with the connection. */
async function holdAlone(fresh: pg.Client, schema: string): Promise<void> {
  const asked = 'SELECT pg_try_advisory_lock(hashtext($1), hashtext($2)) AS held';
  const { rows } = await fresh.query<{ held: boolean }>(asked, ['whorl', schema]);
  if (rows[0]?.held === true) return;
  await fresh.end();
  throw Object.assign(new Error(`another gateway works on schema ${schema}`), { code: LOCK_NOT_AVAILABLE });
}

async function connect(): Promise<pg.Client> {
  const { schema, tls, ca, ...place } = settings;
  const ssl = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  const fresh = new pg.Client({
    ...place,
    ...(tls ? { ssl } : {}),
    ...{ options: `-c search_path=${schema}`, application_name: 'whorl' },
    ...{ connectionTimeoutMillis: CONNECT_MS, statement_timeout: STATEMENT_MS, keepAlive: true },
    types,
  });
  const lose = (): void => {
    if (client === fresh) client = undefined;
  };
  fresh.on('error', lose);
  fresh.on('end', lose);
  await fresh.connect();
  await holdAlone(fresh, schema);
  client = fresh;
  return fresh;
}
