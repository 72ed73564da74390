import type { Codec } from './codec.ts';
import { writeStatements } from './write.ts';
import { readStatements } from './read.ts';
import { Names } from './snippets.ts';

/**
 * The source of encoders and decoders. It expects in scope: `fail(code, path)`, which throws, `readText` and
 * `writeText` of text.ts, and while it runs `at`, where it stands.
 */

/** The body of `(value, out, at) => at`. */
export function encodeSource(codec: Codec): string {
  return `const room = out.length;
${encodeInline(codec, 'value', '')}
if (at > room) fail('MESSAGE_LONG', '');
return at;`;
}

/** The body of `(bytes, at, end) => value`. */
export function decodeSource(codec: Codec): string {
  return `let value;
${decodeInline(codec, 'value', '')}
if (at !== end) fail('MESSAGE_LONG', '');
return value;`;
}

/**
 * Statements that write `value` at `at`, for code that others wrap around them in a block of their own; `room`, the
 * length of `out`, is in scope too. What does not fit shows in `at`, which then lies behind the end.
 */
export function encodeInline(codec: Codec, value: string, path: string): string {
  return writeStatements({ codec, value, path, names: new Names() });
}

/** Statements that read from `at`, at most up to `end`, into `target`; see {@link encodeInline}. */
export function decodeInline(codec: Codec, target: string, path: string): string {
  return readStatements({ codec, target, path, names: new Names() });
}
