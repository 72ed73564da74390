import type { EventType, Origin, StoredEvent } from '../../events/catalogue.ts';
import type { LedgerReason, LedgerRow, LedgerState, Provenance, PullRequest, UserSummary } from '../store.ts';
import type { Row } from '../sqlite.ts';

/** Rows of the database as the contract's types; the database holds only what this program wrote. */

export function number(row: Row, column: string): number {
  return Number(row[column]);
}

export function text(row: Row, column: string): string {
  return String(row[column]);
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function optional<Key extends string, T>(key: Key, value: T | undefined): Partial<Record<Key, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, T>);
}

function maybeNumber(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : number(row, column);
}

function maybeText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

export function ledgerRow(row: Row): LedgerRow {
  return {
    user: number(row, 'user'),
    terminal: text(row, 'terminal'),
    want: text(row, 'want') as LedgerRow['want'],
    state: text(row, 'state') as LedgerState,
    version: number(row, 'version'),
    attempts: number(row, 'attempts'),
    ...optional('reason', maybeText(row, 'reason') as LedgerReason | undefined),
    ...optional('nextTry', maybeNumber(row, 'next_try')),
    ...optional('checked', maybeNumber(row, 'checked')),
    ...optional('delivered', maybeNumber(row, 'delivered')),
  };
}

export function pullRequest(row: Row): PullRequest {
  return {
    user: number(row, 'user'),
    terminal: text(row, 'terminal'),
    log: number(row, 'log'),
    attempts: number(row, 'attempts'),
    nextTry: number(row, 'next_try'),
    ...optional('changed', maybeNumber(row, 'changed')),
    ...optional('take', maybeText(row, 'take') as PullRequest['take']),
  };
}

export function storedEvent(row: Row): StoredEvent {
  return {
    id: number(row, 'id'),
    time: number(row, 'time'),
    type: text(row, 'type') as EventType,
    data: JSON.parse(text(row, 'data')) as never,
    ...optional('line', maybeText(row, 'line')),
    ...optional('terminal', maybeText(row, 'terminal')),
    ...optional('user', maybeNumber(row, 'user')),
    ...optional('origin', maybeText(row, 'origin') as Origin | undefined),
    ...optional('source', maybeText(row, 'source')),
  } as StoredEvent;
}

export function userSummary(row: Row): UserSummary {
  return {
    id: number(row, 'id'),
    name: text(row, 'name'),
    version: number(row, 'version'),
    groups: JSON.parse(text(row, 'groups')) as number[],
    fields: JSON.parse(text(row, 'fields')) as number[],
    changed: number(row, 'changed'),
  };
}

export function provenanceText(provenance: ReadonlyMap<number, Provenance>): string {
  return JSON.stringify([...provenance]);
}

export function provenanceOf(row: Row): Map<number, Provenance> {
  return new Map(JSON.parse(text(row, 'provenance')) as [number, Provenance][]);
}
