import type { Message } from '@whorl/protocol';

/** What is another one each time that the same is said. */
const LEFT_OUT: ReadonlySet<string> = new Set(['clock', 'time', 'transfer', 'handshake', 'share']);
/** Of these only that they were said: their bodies are made of digests. */
const OPAQUE: ReadonlySet<Message['name']> = new Set(['sketch.page', 'clock.was', 'clock.is']);

/**
 * A message in lines, its name first and then a field each, to be compared with and shown beside another one: without
 * what differs each time, and of bytes only how many.
 */
export function toldLines(message: Message): string[] {
  if (OPAQUE.has(message.name)) return [message.name];
  return [message.name, ...fieldsOf(message.body)];
}

function fieldsOf(body: object): string[] {
  return Object.entries(body).flatMap(([name, value]: [string, unknown]) =>
    LEFT_OUT.has(name) ? [] : [`${name} ${text(value)}`],
  );
}

function text(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{${fieldsOf(value).join(' ')}}`;
  return String(value);
}
