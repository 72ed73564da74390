import type { Message } from '@whorl/protocol';

/** What is another one each time that the same is said. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...['clock', 'time', 'transfer', 'handshake', 'share'],
  // Who it is, and not what it does.
  ...['model', 'firmware'],
]);
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
    LEFT_OUT.has(name)
      ? []
      : isGroup(value)
        ? fieldsOf(value).map((line) => `${name}.${line}`)
        : [`${name} ${text(value)}`],
  );
}

/** Fields that stand together, each told in a line of its own. */
function isGroup(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

function text(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`;
  if (isGroup(value)) return `{${fieldsOf(value).join(' ')}}`;
  return String(value);
}
