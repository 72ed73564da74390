import { codeOf } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { AUDIT_BEGIN, auditHash } from '../store/audit.ts';
import type { AuditDeed, AuditEntry, AuditFilter, AuditHead, AuditRow, AuditStore } from '../store/audit.ts';

/** Who wants what done to what. */
export type Deed = Pick<AuditEntry, 'who' | 'place' | 'deed' | 'target'> & {
  /** More of it; never what is secret. */
  readonly detail?: object | undefined;
};

/** A deed with what came of it. */
export type AuditView = Omit<AuditDeed, 'detail'> & { readonly detail?: unknown };

/** What a verification found. */
export interface AuditReport {
  /** Whether every entry is there, unchanged and in its place. */
  readonly sound: boolean;
  readonly entries: number;
  /** The newest entry; noted elsewhere, it also shows that the whole database was replaced by an older one. */
  readonly head: string;
  readonly findings: readonly { readonly seq: number; readonly text: string }[];
}

const PAGE = 1000;
const MOST_FINDINGS = 100;

/** Writes down who did what, before it is done, and what came of it. */
export class Audit {
  readonly #store: AuditStore;
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure told when the outcome of what was done could not be written down */
  constructor(store: AuditStore, clock: Clock, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Writes down something that is over, or that was refused. @param outcome `done` or the code of an error */
  async note(deed: Deed, outcome: string): Promise<void> {
    await this.#append(deed, outcome, undefined);
  }

  /** Does `work` once it is written down that it is asked for. @throws what `work` throws; STORE_* before it was begun */
  async act<T>(deed: Deed, work: () => Promise<T>): Promise<T> {
    const of = await this.#append(deed, 'asked', undefined);
    try {
      const value = await work();
      await this.#outcome(deed, 'done', of);
      return value;
    } catch (error) {
      await this.#outcome(deed, codeOf(error) ?? 'INTERNAL', of);
      throw error;
    }
  }

  /** Deeds with what came of them. */
  async list(filter: AuditFilter): Promise<readonly AuditView[]> {
    return (await this.#store.deeds(filter)).map(viewOf);
  }

  /** @param expected a head that was noted elsewhere, `812:ab12…` */
  async verify(expected?: string): Promise<AuditReport> {
    const findings: { seq: number; text: string }[] = [];
    const find = (seq: number, text: string): void => {
      if (findings.length < MOST_FINDINGS) findings.push({ seq, text });
    };
    let last: AuditHead = { seq: 0, hash: AUDIT_BEGIN };
    let entries = 0;
    let met = expected === undefined;
    const look = (row: AuditRow): void => {
      entries += 1;
      if (row.seq !== last.seq + 1)
        find(row.seq, `entries ${last.seq + 1} to ${row.seq - 1} are missing before it`);
      const right = Buffer.from(row.hash).equals(auditHash(last.hash, row));
      if (!right) find(row.seq, 'it, or what stands before it, was changed');
      if (row.deed === 'audit.broken')
        find(row.seq, `here the gateway itself found that the end had been changed: ${row.detail}`);
      last = { seq: row.seq, hash: row.hash };
      met ||= expected === shown(last);
    };
    let head = await this.#store.head();
    for (;;) {
      await this.#each(last.seq, look);
      const now = await this.#store.head();
      if (typeof now === 'string' || (typeof head !== 'string' && now.seq === head.seq)) break;
      head = now;
    }
    endOf(head, last, find);
    if (!met)
      find(
        last.seq,
        `the entry ${expected ?? ''} that was noted elsewhere is not there: all may be older than that`,
      );
    return { sound: findings.length === 0, entries, head: shown(last), findings };
  }

  async #each(after: number, take: (row: AuditRow) => void): Promise<void> {
    for (let from = after; ;) {
      const rows = await this.#store.rows(from, PAGE);
      for (const row of rows) take(row);
      const last = rows.at(-1);
      if (last === undefined) return;
      from = last.seq;
    }
  }

  #append({ detail, ...deed }: Deed, outcome: string, of: number | undefined): Promise<number> {
    return this.#store.append({
      ...deed,
      time: this.#clock.wallTime(),
      detail: detail === undefined ? '' : JSON.stringify(detail),
      outcome,
      ...(of === undefined ? {} : { of }),
    });
  }

  /** What was done is done, whether it can be written down or not. */
  async #outcome({ detail: _, ...deed }: Deed, outcome: string, of: number): Promise<void> {
    try {
      await this.#append(deed, outcome, of);
    } catch (error) {
      this.#onFailure(error);
    }
  }
}

function endOf(
  head: AuditHead | 'missing' | 'forged',
  last: AuditHead,
  find: (seq: number, text: string) => void,
): void {
  if (head === 'missing') {
    if (last.seq > 0) find(last.seq, 'the seal of the end was removed');
  } else if (head === 'forged') find(last.seq, 'the seal of the end is not from this gateway');
  else if (head.seq > last.seq)
    find(last.seq, `entries ${last.seq + 1} to ${head.seq} are missing at the end`);
  else if (shown(head) !== shown(last)) find(last.seq, 'the end is not the one that was sealed');
}

function shown({ seq, hash }: AuditHead): string {
  return `${seq}:${Buffer.from(hash).toString('hex')}`;
}

function viewOf({ detail, ...deed }: AuditDeed): AuditView {
  return detail === '' ? deed : { ...deed, detail: parsed(detail) };
}

/** What somebody wrote into the database may be no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
