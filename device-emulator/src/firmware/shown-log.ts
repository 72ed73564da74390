import { logKind } from '@whorl/protocol';
import type { LogKind, LogRecord } from '@whorl/protocol';

/** A log record with its kind's name instead of a code; `code 0x…` for one that has none. */
export type ShownLog = Omit<LogRecord, 'code'> & { readonly kind: LogKind | `code 0x${string}` };

export function shownLog({ code, ...record }: LogRecord): ShownLog {
  return { ...record, kind: logKind(code) ?? `code 0x${code.toString(16).padStart(4, '0')}` };
}
