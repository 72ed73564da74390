import { z } from 'zod';
import { taskSchema } from '../../settings/task.ts';
import type { Keys } from '../keys.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import type { OperatorRow, Task } from '../tasks.ts';
import { bytes, number, text } from './rows.ts';

// Sync tasks, and operators of portable terminals.

export function listTasks(db: Sqlite): readonly Task[] {
  return db.all('SELECT * FROM tasks ORDER BY id').map(taskOf);
}

export function readTask(db: Sqlite, id: number): Task | undefined {
  const row = db.get('SELECT * FROM tasks WHERE id = ?', id);
  return row === undefined ? undefined : taskOf(row);
}

export function putTask(
  db: Sqlite,
  { id, changed, ...definition }: Omit<Task, 'id'> & { readonly id?: number },
): number {
  const values = [JSON.stringify(definition), changed] as const;
  const row =
    id === undefined
      ? db.get('INSERT INTO tasks (definition, changed) VALUES (?, ?) RETURNING id', ...values)
      : db.get(
          `INSERT INTO tasks (definition, changed, id) VALUES (?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, changed = excluded.changed RETURNING id`,
          ...values,
          id,
        );
  return number(row ?? {}, 'id');
}

export function deleteTask(db: Sqlite, id: number): void {
  db.run('DELETE FROM tasks WHERE id = ?', id);
}

function taskOf(row: Row): Task {
  const definition = taskSchema.parse(JSON.parse(text(row, 'definition')));
  return { ...definition, id: number(row, 'id'), changed: number(row, 'changed') };
}

const secretsSchema = z.strictObject({ name: z.string(), verifier: z.base64() });

/** Names are sealed too: they are people's. */
export function listOperators(db: Sqlite, keys: Keys): readonly OperatorRow[] {
  return db.all('SELECT * FROM operators ORDER BY id').map((row) => {
    const id = number(row, 'id');
    const clear = Buffer.from(keys.openSecret(place(id), bytes(row, 'sealed'))).toString('utf8');
    const { name, verifier } = secretsSchema.parse(JSON.parse(clear));
    return { id, name, verifier: Buffer.from(verifier, 'base64') };
  });
}

export function operatorIds(db: Sqlite): readonly number[] {
  return db.all('SELECT id FROM operators').map((row) => number(row, 'id'));
}

export function putOperator(db: Sqlite, keys: Keys, { id, name, verifier }: OperatorRow): void {
  const clear = JSON.stringify({ name, verifier: Buffer.from(verifier).toString('base64') });
  db.run(
    'INSERT INTO operators (id, sealed) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed',
    id,
    keys.sealSecret(place(id), Buffer.from(clear)),
  );
}

export function deleteOperator(db: Sqlite, id: number): void {
  db.run('DELETE FROM operators WHERE id = ?', id);
}

function place(id: number): string {
  return `operator ${id}`;
}
