import { ERRORS } from '@whorl/protocol';
import { z } from 'zod';
import { COMMANDS } from './commands.ts';
import { ERROR_VIEW } from './errors.ts';
import { COMMANDS_TOPIC, TOPICS } from './topics.ts';

type Schema = z.core.JSONSchema.BaseSchema;

/** What travels under one topic, for programs. */
export interface TopicSchema {
  /** Whether the gateway says it or takes it. */
  readonly direction: 'published' | 'taken';
  readonly retained: boolean;
  readonly description: string;
  /** JSON Schema, draft 2020-12. */
  readonly payload: Schema;
  /** The same of what comes to `answers/<id>`, for commands. */
  readonly answer?: Schema;
}

/** JSON Schemas of everything that travels, by topic; `<gateway>`, `<line>` and `<terminal>` stand for names. */
export function mqttSchemas(): Readonly<Record<string, TopicSchema>> {
  const said = TOPICS.map(({ topic, retained, payload, doc }): [string, TopicSchema] => [
    `whorl/<gateway>/${topic}`,
    { direction: 'published', retained, description: doc, payload: z.toJSONSchema(payload) },
  ]);
  const asked = [...COMMANDS].map(([name, { doc, request, result }]): [string, TopicSchema] => [
    `whorl/<gateway>/${COMMANDS_TOPIC}/${name}`,
    {
      direction: 'taken',
      retained: false,
      description: doc,
      payload: z.toJSONSchema(request, { io: 'input' }),
      answer: z.toJSONSchema(answerSchema(result)),
    },
  ]);
  return Object.fromEntries([...said, ...asked]);
}

/** How a command is answered. */
export function answerSchema(result: z.ZodType): z.ZodType {
  const id = z.string();
  return z.discriminatedUnion('ok', [
    z.strictObject({ id, ok: z.literal(true), result }),
    z.strictObject({ id, ok: z.literal(false), error: ERROR_VIEW }),
  ]);
}

/**
 * MQTT.md with the tables between its markers (`<!-- rows: name -->` and `<!-- end -->`) printed anew from the rows.
 * @throws Error for a marker that names no table
 */
export function withTables(text: string): string {
  const tables = new Map([
    ['topics', topics((topic) => !topic.startsWith('events/'))],
    ['events', topics((topic) => topic.startsWith('events/'))],
    ['commands', commands()],
    ['errors', errors()],
  ]);
  return text.replaceAll(/<!-- rows: (\w+) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const table = tables.get(name);
    if (table === undefined) throw new Error(`MQTT.md asks for a table ${name}`);
    return `<!-- rows: ${name} -->\n\n${table}\n\n<!-- end -->`;
  });
}

function topics(wanted: (topic: string) => boolean): string {
  const rows = TOPICS.filter(({ topic }) => wanted(topic)).map(({ topic, retained, payload, doc }) => {
    const { properties } = z.toJSONSchema(payload);
    const data = topic.startsWith('events/') ? properties?.['data'] : undefined;
    const shown = typeof data === 'object' ? data : z.toJSONSchema(payload);
    return [`\`${topic}\``, retained ? 'yes' : 'no', members(shown), doc];
  });
  return wanted('events/')
    ? markdown(
        ['topic', 'data', 'meaning'],
        rows.map(([topic = '', , data = '', doc = '']) => [topic, data, doc]),
      )
    : markdown(['topic', 'retained', 'payload', 'meaning'], rows);
}

function commands(): string {
  const rows = [...COMMANDS].map(([name, { doc, request, result }]) => [
    `\`${COMMANDS_TOPIC}/${name}\``,
    members(z.toJSONSchema(request, { io: 'input' }), ['id']),
    members(z.toJSONSchema(result)),
    doc,
  ]);
  return markdown(['topic', 'besides `id`', 'result', 'meaning'], rows);
}

function errors(): string {
  const rows = Object.entries(ERRORS).filter(([code]) => code.startsWith('MQTT_'));
  return markdown(
    ['code', 'what to do'],
    rows.map(([code, remedy]) => [`\`${code}\``, remedy]),
  );
}

/** `name: type` of each member; a question mark for those that may be missing. */
function members(schema: Schema, without: readonly string[] = []): string {
  const shown = Object.entries(schema.properties ?? {})
    .filter(([name]) => !without.includes(name))
    .map(([name, member]) => {
      const optional = schema.required?.includes(name) === true ? '' : '?';
      return `\`${name}${optional}\` ${typeof member === 'object' ? typeOf(member) : 'anything'}`;
    });
  return shown.length === 0 ? '–' : shown.join(', ');
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (schema.type === 'array') {
    const items =
      typeof schema.items === 'object' && !Array.isArray(schema.items) ? typeOf(schema.items) : 'anything';
    return `list of ${items}`;
  }
  return typeof schema.type === 'string' ? schema.type : 'anything';
}

function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
