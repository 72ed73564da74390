import { EVENT_KINDS, eventSchema } from '../events/event.ts';
import { jsonSchema } from './json-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { errorView } from './route.ts';
import type { Route } from './route.ts';
import { eventsQuery } from './stream.ts';

const REFUSALS: Readonly<Record<string, string>> = {
  400: 'The request does not fit; the message names the place. Nothing has changed.',
  404: 'There is nothing of this name or id.',
  409: 'It cannot be done as things stand; the message says why.',
  500: 'A fault of the emulator.',
};

const DESCRIPTION = `Presses the buttons of emulated terminals, pulls their cables, makes things wrong, and tells what happens.

Options are JSON, or the text that would stand in a shell (\`"10s"\`, \`"1,2"\`, \`"yes"\`). An error of 4xx has changed nothing;
for another method than what is there has, it is 405, and the header \`allow\` names those. Every answer has
a header \`event-id\`: the newest event at that time, to follow \`/events?after=\` from there without a gap.`;

/** The control as an OpenAPI 3.1 document, from the same rows and schemas that requests are checked by. */
export function openApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = { '/events': { get: eventsOperation() } };
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  const tags = ['events', ...new Set(routes.map(tagOf))].sort();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Whorl device emulator',
      version: '0.1.0',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: jsonSchema(errorView, 'output'), Event: jsonSchema(eventSchema, 'output') },
    },
  };
}

function operation(route: Route): object {
  const body = jsonSchema(route.body, 'input');
  const parameters = [
    ...parametersOf(jsonSchema(route.params, 'input'), 'path'),
    ...parametersOf(jsonSchema(route.query, 'input'), 'query'),
  ];
  const content = { 'application/json': { schema: body } };
  return {
    operationId: route.name,
    tags: [tagOf(route)],
    summary: route.doc.split(/[.;:](?= |$)/)[0] ?? route.doc,
    description: route.doc,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(isEmpty(body) ? {} : { requestBody: { required: (body.required?.length ?? 0) > 0, content } }),
    responses: {
      200: {
        description: 'Done.',
        content: { 'application/json': { schema: jsonSchema(route.answer, 'output') } },
      },
      ...refusals(),
    },
  };
}

function eventsOperation(): object {
  return {
    operationId: 'events.follow',
    tags: ['events'],
    summary: 'Follow what happens',
    description: `Server-sent events without end, each with an id: \`data\` is an event as JSON. Kinds: ${EVENT_KINDS.join(', ')}. A reader that was cut off names the last id that it has (\`Last-Event-ID\`, or \`after\`) and goes on there; when that is not kept any more, an event \`missed\` says so. One that reads too slowly is cut off.`,
    parameters: [
      ...parametersOf(jsonSchema(eventsQuery, 'input'), 'query'),
      { name: 'last-event-id', in: 'header', required: false, schema: { type: 'integer' } },
    ],
    responses: {
      200: {
        description: 'Events, as they come.',
        content: { 'text/event-stream': { schema: { $ref: '#/components/schemas/Event' } } },
      },
      ...refusals(),
    },
  };
}

function refusals(): object {
  const schema = { $ref: '#/components/schemas/Error' };
  return Object.fromEntries(
    Object.entries(REFUSALS).map(([status, description]) => [
      status,
      { description, content: { 'application/json': { schema } } },
    ]),
  );
}

function parametersOf({ properties = {}, required = [] }: JsonSchema, place: 'path' | 'query'): object[] {
  return Object.entries(properties).map(([name, member]) => {
    const { description, ...schema } = typeof member === 'object' ? member : {};
    return {
      name,
      in: place,
      required: place === 'path' || (required.includes(name) && !('default' in schema)),
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}

function isEmpty(body: JsonSchema): boolean {
  return body.type === 'object' && Object.keys(body.properties ?? {}).length === 0;
}

function tagOf({ name }: Route): string {
  return name.split('.')[0] ?? name;
}
