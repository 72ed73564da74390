import { z } from 'zod';
import { ROLE_DOCS, ROLES } from '../settings/roles.ts';
import { VERSION } from '../settings/version.ts';
import { errorViewSchema } from './errors.ts';
import type { Route } from './route.ts';

type Schema = z.core.JSONSchema.BaseSchema;

/** What a route can answer besides what it is for. */
const REFUSALS: Readonly<Record<string, string>> = {
  400: 'The request does not fit; the message names the place.',
  401: 'No token, or one that is not valid any more.',
  403: 'The role of the caller may not do this.',
  404: 'There is nothing of this name or id.',
  409: 'It cannot be done as things stand; the message says why.',
  413: 'The body is larger than is taken here.',
  429: 'Too many requests; `Retry-After` says when to come again.',
  500: 'A fault of the gateway; its log says more.',
  503: 'The gateway cannot do it at the moment; it can be tried again.',
};

/** The API as an OpenAPI 3.1 document, from the same rows and schemas that requests are checked by. */
export function openApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  const roles = ROLES.map((role) => `- \`${role}\` ${ROLE_DOCS[role]}`).join('\n');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Whorl gateway',
      version: VERSION,
      description: `The gateway between biometric terminals. Times are milliseconds UTC unless a member says otherwise.\n\nRoles; each may also do what stands before it:\n\n${roles}`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].sort().map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: jsonSchema(errorViewSchema, 'output') },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token of a session (`POST /login`) or of a program (`POST /tokens`).',
        },
      },
    },
  };
}

function operation(route: Route): object {
  const body = jsonSchema(route.body, 'input');
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  return {
    operationId: route.name,
    tags: [tagOf(route)],
    summary: (route.doc.split(/[.;:](?= |$)/)[0] ?? route.doc).slice(0, 120),
    description: `${route.doc}\n\nRole: ${route.role}.`,
    'x-role': route.role,
    security: route.role === 'anyone' ? [] : [{ bearer: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(isEmpty(body)
      ? {}
      : {
          requestBody: {
            required: (body.required?.length ?? 0) > 0,
            content: { 'application/json': { schema: body } },
          },
        }),
    responses: responsesOf(route),
  };
}

function responsesOf(route: Route): Record<string, object> {
  const schema = jsonSchema(route.answer, 'output');
  const content = Object.fromEntries(route.media.map((type) => [type, { schema }]));
  const refusals = Object.entries(REFUSALS)
    .filter(([status]) => route.role !== 'anyone' || status !== '403')
    .filter(([status]) => status !== '413' || !isEmpty(jsonSchema(route.body, 'input')))
    .map(([status, description]) => [
      status,
      { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
    ]);
  return { [route.status]: { description: 'Done.', content }, ...(Object.fromEntries(refusals) as object) };
}

function parametersOf(schema: z.ZodObject, place: 'path' | 'query'): object[] {
  const { properties = {}, required = [] } = jsonSchema(schema, 'input');
  return Object.entries(properties).map(([name, member]) => {
    const { description, ...rest } = typeof member === 'object' ? member : {};
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** `io`: as the caller writes it, or as it is answered. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    // What arrives as text in a path or query and is made a number is described as the number.
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => {
      // Says that the program does not change it, which is nothing to callers.
      delete made.readOnly;
    },
  });
  return rest;
}

function isEmpty(body: Schema): boolean {
  return body.type === 'object' && Object.keys(body.properties ?? {}).length === 0;
}

function tagOf({ name }: Route): string {
  return name.split('.')[0] ?? name;
}
