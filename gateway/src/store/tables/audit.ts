import { codeOf } from '@whorl/protocol';
import { AUDIT_BEGIN, auditHash } from '../audit.ts';
import type { AuditDeed, AuditEntry, AuditFilter, AuditHead, AuditRow, AuditStore } from '../audit.ts';
import type { Row, Sqlite } from '../sqlite.ts';
import type { Keys } from '../keys.ts';
import { bytes, number, text } from './rows.ts';
import { note, putNote } from './small.ts';
import { LIMIT, where } from './where.ts';

const HEAD_NOTE = 'audit.head';
const NOTHING: AuditHead = { seq: 0, hash: AUDIT_BEGIN };

/** The audit trail in SQLite. */
export class AuditTable implements AuditStore {
  readonly #db: Sqlite;
  readonly #keys: Keys;

  constructor(db: Sqlite, keys: Keys) {
    this.#db = db;
    this.#keys = keys;
  }

  append(entry: Omit<AuditEntry, 'seq'>): Promise<number> {
    return this.#db.write(() => {
      const head = this.#head();
      const last = this.#last();
      if (agree(head, last)) return this.#add(last.seq, last.hash, entry);
      const sealed = typeof head === 'string' ? head : `entry ${head.seq}`;
      const broken = { ...entry, who: 'gateway', place: '', deed: 'audit.broken', outcome: 'done' };
      const detail = JSON.stringify({ newest: last.seq, sealed });
      const seen = Math.max(last.seq, typeof head === 'string' ? 0 : head.seq);
      const { of: _, ...marker } = broken;
      const seq = this.#add(seen, last.hash, { ...marker, target: 'audit trail', detail });
      return this.#add(seq, this.#last().hash, entry);
    });
  }

  async rows(after: number, limit: number): Promise<readonly AuditRow[]> {
    return this.#db
      .all(`SELECT * FROM audit WHERE seq > ? ORDER BY seq ${LIMIT}`, after, limit)
      .map(auditRow);
  }

  async deeds({ after = 0, newest, limit, who, deed }: AuditFilter): Promise<readonly AuditDeed[]> {
    const { sql, values } = where([
      ['a.asked IS NULL AND a.seq > ?', after],
      ['a.who = ?', who],
      ['a.deed = ?', deed],
    ]);
    const order = newest === true ? 'DESC' : 'ASC';
    const rows = this.#db.all(
      `SELECT a.*, o.outcome AS came, o.time AS over FROM audit a LEFT JOIN audit o ON o.asked = a.seq ${sql}
       ORDER BY a.seq ${order} ${LIMIT}`,
      ...values,
      limit,
    );
    const deeds = rows.map(deedOf);
    return newest === true ? deeds.reverse() : deeds;
  }

  async head(): Promise<AuditHead | 'missing' | 'forged'> {
    return this.#head();
  }

  #head(): AuditHead | 'missing' | 'forged' {
    const held = note(this.#db, HEAD_NOTE);
    if (held === undefined) return 'missing';
    try {
      const clear = Buffer.from(this.#keys.openSecret(HEAD_NOTE, Buffer.from(held, 'base64')));
      return { seq: Number(clear.readBigUInt64BE()), hash: new Uint8Array(clear.subarray(8)) };
    } catch (error) {
      if (codeOf(error) === 'VAULT_SEALED') return 'forged';
      throw error;
    }
  }

  #last(): AuditHead {
    const row = this.#db.get('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1');
    return row === undefined ? NOTHING : { seq: number(row, 'seq'), hash: bytes(row, 'hash') };
  }

  #add(before: number, hash: Uint8Array, entry: Omit<AuditEntry, 'seq'>): number {
    const seq = before + 1;
    const own = auditHash(hash, { ...entry, seq });
    this.#db.put(
      'INSERT INTO audit (seq, time, who, place, deed, target, detail, outcome, asked, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[seq, entry.time, entry.who, entry.place, entry.deed, entry.target, entry.detail, entry.outcome],
      entry.of ?? null,
      own,
    );
    const clear = Buffer.alloc(8 + own.length);
    clear.writeBigUInt64BE(BigInt(seq));
    clear.set(own, 8);
    putNote(this.#db, HEAD_NOTE, Buffer.from(this.#keys.sealSecret(HEAD_NOTE, clear)).toString('base64'));
    return seq;
  }
}

function agree(head: AuditHead | 'missing' | 'forged', last: AuditHead): boolean {
  if (head === 'missing') return last.seq === 0;
  return head !== 'forged' && head.seq === last.seq && Buffer.from(head.hash).equals(last.hash);
}

function auditRow(row: Row): AuditRow {
  return {
    seq: number(row, 'seq'),
    time: number(row, 'time'),
    who: text(row, 'who'),
    place: text(row, 'place'),
    deed: text(row, 'deed'),
    target: text(row, 'target'),
    detail: text(row, 'detail'),
    outcome: text(row, 'outcome'),
    ...(row['asked'] === null ? {} : { of: number(row, 'asked') }),
    hash: bytes(row, 'hash'),
  };
}

function deedOf(row: Row): AuditDeed {
  const { hash: _, of: __, ...entry } = auditRow(row);
  if (row['over'] === null) return entry;
  return { ...entry, outcome: text(row, 'came'), over: number(row, 'over') };
}
