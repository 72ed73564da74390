import type { Keys } from '../keys.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import type { FileRow } from '../tasks.ts';
import { bytes, number, text } from './rows.ts';

// Files of sync tasks: sealed in parts, so that a piece is read without unsealing the whole.

const PART_BYTES = 64 * 1024;

export function listFiles(db: Sqlite): readonly FileRow[] {
  return db.all('SELECT * FROM files ORDER BY name').map(fileOf);
}

export function putFile(db: Sqlite, keys: Keys, file: Omit<FileRow, 'size'>, content: Uint8Array): void {
  deleteFile(db, file.name);
  const row = db.get(
    'INSERT INTO files (name, kind, size, digest, changed) VALUES (?, ?, ?, ?, ?) RETURNING id',
    file.name,
    file.kind,
    content.length,
    file.digest,
    file.changed,
  );
  const id = number(row ?? {}, 'id');
  for (let part = 0; part * PART_BYTES < content.length; part += 1) {
    const clear = content.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    db.run(
      'INSERT INTO file_parts (file, part, sealed) VALUES (?, ?, ?)',
      id,
      part,
      keys.sealSecret(place(id, part), clear),
    );
  }
}

export function readPiece(
  db: Sqlite,
  keys: Keys,
  { name, digest }: Pick<FileRow, 'name' | 'digest'>,
  range: { readonly from: number; readonly count: number },
): Uint8Array | undefined {
  const row = db.get('SELECT id, size FROM files WHERE name = ? AND digest = ?', name, digest);
  if (row === undefined) return undefined;
  const id = number(row, 'id');
  const { from } = range;
  const end = Math.min(from + range.count, number(row, 'size'));
  const first = Math.floor(from / PART_BYTES);
  const parts = db
    .all(
      'SELECT part, sealed FROM file_parts WHERE file = ? AND part >= ? AND part * ? < ? ORDER BY part',
      id,
      first,
      PART_BYTES,
      end,
    )
    .map((one) => keys.openSecret(place(id, number(one, 'part')), bytes(one, 'sealed')));
  return Buffer.concat(parts).subarray(from - first * PART_BYTES, Math.max(end, from) - first * PART_BYTES);
}

export function deleteFile(db: Sqlite, name: string): void {
  db.run('DELETE FROM files WHERE name = ?', name);
}

function place(id: number, part: number): string {
  return `file ${id} ${part}`;
}

function fileOf(row: Row): FileRow {
  return {
    name: text(row, 'name'),
    kind: text(row, 'kind'),
    size: number(row, 'size'),
    digest: bytes(row, 'digest'),
    changed: number(row, 'changed'),
  };
}
