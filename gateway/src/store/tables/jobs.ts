import { JOB_STATES } from '../jobs.ts';
import type { JobRow, JobStore } from '../jobs.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import { number, text } from './rows.ts';
import { LIMIT } from './where.ts';

const KEPT = 1000;

/** Jobs in SQLite. What came of them is JSON: it is only ever shown. */
export class JobTable implements JobStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(job: Omit<JobRow, 'id'>): Promise<number> {
    return this.#db.write(() => {
      const row = this.#db.get(
        'INSERT INTO jobs (state, job) VALUES (?, ?) RETURNING id',
        job.state,
        JSON.stringify(job),
      );
      const id = row === undefined ? 0 : number(row, 'id');
      this.#db.run("DELETE FROM jobs WHERE id <= ? AND state <> 'running'", id - KEPT);
      return id;
    });
  }

  save({ id, ...job }: JobRow): Promise<void> {
    return this.#db.write(() => {
      this.#db.run('UPDATE jobs SET state = ?, job = ? WHERE id = ?', job.state, JSON.stringify(job), id);
    });
  }

  async job(id: number): Promise<JobRow | undefined> {
    const row = this.#db.get('SELECT * FROM jobs WHERE id = ?', id);
    return row === undefined ? undefined : jobRow(row);
  }

  async list(limit: number): Promise<readonly JobRow[]> {
    return this.#db.all(`SELECT * FROM jobs ORDER BY id DESC ${LIMIT}`, limit).map(jobRow);
  }

  interrupt(time: number): Promise<void> {
    return this.#db.write(() => {
      this.#db.run(
        "UPDATE jobs SET state = 'interrupted', job = json_set(job, '$.ended', ?) WHERE state = 'running'",
        time,
      );
    });
  }
}

function jobRow(row: Row): JobRow {
  const state = text(row, 'state');
  return {
    ...(JSON.parse(text(row, 'job')) as Omit<JobRow, 'id' | 'state'>),
    id: number(row, 'id'),
    state: JOB_STATES.find((one) => one === state) ?? 'interrupted',
  };
}
