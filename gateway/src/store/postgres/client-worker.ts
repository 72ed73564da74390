import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import pg from 'pg';
import { systemClock } from '@whorl/protocol/clock/system';
import type { Asked, ClientSettings, Outcome, Question } from './client.ts';
import { channelOf, HOUSE, holdName, memberName } from './roles.ts';

// The database's side of the client: it asks, while the thread that it works for waits for the answer.

const CONNECT_MS = 5_000;
const STATEMENT_MS = 60_000;
/** A server that does not even say that a statement took too long is gone. */
const SILENCE_MS = STATEMENT_MS + 5_000;
/** A try that took its time is not made again for so many times as long: whoever asks meanwhile is told at once. */
const RESTS = 4;
/** The server takes a moment to notice that a process was killed: whoever is started in its place waits so long. */
const TRY_AGAIN_MS = 100;
const PATIENT_TRIES = 8;
const LOCK_NOT_AVAILABLE = '55P03';
/** The server lets go of what a machine held that fell silent: idle and interval in seconds, then how often. */
const ALIVE = '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3';
/** Of 64 bits, and of sums: all of ours are exact as numbers. */
const WHOLE = [pg.types.builtins.INT8, pg.types.builtins.NUMERIC];

const types: pg.CustomTypesConfig = {
  getTypeParser: (id, format) =>
    WHOLE.includes(id) ? Number : (pg.types.getTypeParser(id, format) as (value: string) => unknown),
};

const { settings, signal, port, news } = workerData as {
  readonly settings: ClientSettings;
  readonly signal: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly news: MessagePort;
};
const flag = new Int32Array(signal);
let client: pg.Client | undefined;
/** Counts connections: with each, all that was held by the one before is gone. */
let generation = 0;
/** The server's process of the last connection. It may not know yet that we are gone, and hold what we held. */
let former: number | undefined;
/** Whether no connection is of use without the house. */
let keepsHouse = settings.member === undefined && settings.looks === undefined;
let refused: { readonly until: number; readonly error: unknown } | undefined;

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
      return done();
    }
    if ('keepHouse' in question) {
      keepsHouse = true;
      return done();
    }
    if (question.within && client === undefined)
      throw new Error('the connection was lost amid a transaction');
    const connected = client ?? (await connectOrRest());
    const result = await answered(connected, lastOf(connected, question.statements));
    // Of several statements in one there is a list, of which nobody asks for more than that they are done.
    return Array.isArray(result) ? done() : { rows: result.rows, changes: result.rowCount ?? 0, generation };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const lost = client === undefined;
    return { error: { code, message: error instanceof Error ? error.message : String(error), lost } };
  }
}

/** All go out at once; after one that failed the server takes no more of its transaction. */
async function lastOf(on: pg.Client, statements: readonly Asked[]): Promise<pg.QueryResult> {
  const settled = await Promise.allSettled(
    statements.map(({ sql, values, name }) =>
      on.query<Record<string, unknown>>({
        ...(name === undefined ? {} : { name }),
        ...{ text: sql, values: [...values] },
      }),
    ),
  );
  const results = settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  const last = results.at(-1);
  if (last === undefined) throw new Error('nothing was asked');
  return last;
}

function done(): Outcome {
  return { rows: [], changes: 0, generation };
}

/** A connection over which nothing comes any more is given up: what was asked on it is not known to be done. */
async function answered<T>(on: pg.Client, result: Promise<T>): Promise<T> {
  const cancel = systemClock.after(SILENCE_MS, () => {
    giveUp(on);
  });
  try {
    return await result;
  } finally {
    cancel();
  }
}

function giveUp(on: pg.Client): void {
  if (client === on) client = undefined;
  // pg offers no end without a word to the server, and this one does not listen.
  const { connection } = on as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}

async function connectOrRest(): Promise<pg.Client> {
  if (refused !== undefined && systemClock.now() < refused.until) throw refused.error;
  const began = systemClock.now();
  try {
    const fresh = await connect();
    refused = undefined;
    return fresh;
  } catch (error) {
    const now = systemClock.now();
    refused = { until: now + (now - began) * RESTS, error };
    throw error;
  }
}

async function connect(): Promise<pg.Client> {
  const { schema, tls, ca, member, looks: _, ...place } = settings;
  const ssl = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  const fresh = new pg.Client({
    ...place,
    ...(tls ? { ssl } : {}),
    ...{ options: `-c search_path=${schema} ${ALIVE}`, application_name: memberName(member) },
    ...{ connectionTimeoutMillis: CONNECT_MS, statement_timeout: STATEMENT_MS, keepAlive: true },
    ...{ types, pipeline: true },
  });
  const lose = (): void => {
    if (client === fresh) client = undefined;
  };
  fresh.on('error', lose);
  fresh.on('end', lose);
  fresh.on('notification', ({ processId }) => {
    if (processId !== former) news.postMessage(true);
  });
  await fresh.connect();
  try {
    await outlive(fresh, member);
    await hold(fresh, member);
    const { rows } = await fresh.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    former = rows[0]?.pid;
  } catch (error) {
    await fresh.end().catch(() => undefined);
    throw error;
  }
  client = fresh;
  generation += 1;
  return fresh;
}

/** Ends our connection of before at the server, where it may be taken for alive for a while. */
async function outlive(fresh: pg.Client, member: string | undefined): Promise<void> {
  if (former === undefined) return;
  const ours = 'pid = $1 AND application_name = $2 AND usename = current_user';
  await fresh.query(`SELECT pg_terminate_backend(pid, ${CONNECT_MS}) FROM pg_stat_activity WHERE ${ours}`, [
    former,
    memberName(member),
  ]);
}

/** One gateway has the house; several that share the schema have each a name. The server lets go with the connection. */
async function hold(fresh: pg.Client, member: string | undefined): Promise<void> {
  const { schema } = settings;
  if (member !== undefined) {
    await holdOne(
      fresh,
      holdName,
      [schema, member],
      `another process is member ${member} of schema ${schema}`,
    );
    await fresh.query(`LISTEN "${channelOf(schema)}"`);
  }
  if (keepsHouse) await holdOne(fresh, HOUSE, [schema], `another gateway works on schema ${schema}`);
}

async function holdOne(fresh: pg.Client, sql: string, values: string[], otherwise: string): Promise<void> {
  for (let tries = generation === 0 ? PATIENT_TRIES : 1; tries > 0; tries -= 1) {
    const { rows } = await fresh.query<{ held: boolean }>(sql, values);
    if (rows[0]?.held === true) return;
    if (tries > 1) await new Promise<void>((resolve) => systemClock.after(TRY_AGAIN_MS, resolve));
  }
  throw Object.assign(new Error(otherwise), { code: LOCK_NOT_AVAILABLE });
}
