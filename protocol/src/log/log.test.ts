import { expect, test } from 'vitest';
import { compileValue } from '../codec/compile.ts';
import { LOG_KINDS, logKind, LOG_RECORD, LOG_RECORD_BYTES } from './log.ts';
import type { LogKind, LogRecord } from './log.ts';

test('each kind of log has a code of its own, and is known by it', () => {
  const kinds = Object.keys(LOG_KINDS) as LogKind[];
  expect(kinds.map((kind) => logKind(LOG_KINDS[kind].code))).toEqual(kinds);
  expect(logKind(0xffff)).toBeUndefined();
});

test('a log record has as many bytes on the wire as is said', () => {
  const record: LogRecord = { id: 1, time: 2, code: 3, origin: 'terminal', user: 4, detail: 5 };
  const codec = compileValue<LogRecord>('log', LOG_RECORD);
  expect(codec.encode(record, new Uint8Array(40), 0)).toBe(LOG_RECORD_BYTES);
});
