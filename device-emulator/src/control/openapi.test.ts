import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { faultsView } from './fault-routes.ts';
import { ROUTES } from './routes.ts';
import { LOG_IN } from '../testing/portable.ts';
import { EVERY_REQUEST } from '../testing/requests.ts';
import { serveFleetOfAll } from '../testing/served.ts';

const content = z.object({ schema: z.record(z.string(), z.unknown()) });
const operation = z.looseObject({
  operationId: z.string(),
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.object({ content: z.object({ 'application/json': content }) }).optional(),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), content) })),
});
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
type Document = z.infer<typeof documentSchema>;

let all: Awaited<ReturnType<typeof serveFleetOfAll>>;
let written: unknown;
let document: Document;
let ajv: Ajv2020;

beforeAll(async () => {
  all = await serveFleetOfAll();
  written = await (await fetch(url('/openapi.json'))).json();
  document = documentSchema.parse(written);
  ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
  for (const [name, schema] of Object.entries(document.components.schemas))
    ajv.addSchema(schema, `#/components/schemas/${name}`);
});

afterAll(() => all.end());

const url = (path: string): string => `http://127.0.0.1:${all.served.port}${path}`;

function asked(method: string, [path, body]: readonly [path: string, body?: object]): Promise<Response> {
  const given = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return fetch(url(path), { method, headers, ...given });
}

function operationOf(name: string): z.infer<typeof operation> {
  const all = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const found = all.find(({ operationId }) => operationId === name);
  if (found === undefined) throw new Error(`${name} is not in the document`);
  return found;
}

/** What of a value is not as the document says; empty when nothing is. */
function misfit(schema: Record<string, unknown> | undefined, value: unknown): string {
  return ajv.validate(schema ?? false, value) ? '' : ajv.errorsText();
}

test('E6 the document is valid OpenAPI 3.1, and has every route once, with its parameters', async () => {
  const validator = new Validator();
  expect(
    await validator.validate(z.record(z.string(), z.unknown()).parse(structuredClone(written))),
  ).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ path, method, ...one })),
  );
  expect(told.map(({ operationId }) => operationId).toSorted()).toEqual(
    ['events.follow', ...ROUTES.map(({ name }) => name)].toSorted(),
  );
  for (const { path, parameters } of told)
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)).toEqual(
      path.match(/\{\w+\}/g) ?? [],
    );
});

test('E6 every route takes and answers what the document says', async () => {
  expect(Object.keys(EVERY_REQUEST).toSorted()).toEqual(ROUTES.map(({ name }) => name).toSorted());
  const misfits: string[] = [];
  for (const [name, request] of Object.entries(EVERY_REQUEST)) {
    const { responses, requestBody } = operationOf(name);
    const method = ROUTES.find((one) => one.name === name)?.method ?? '';
    const answer = await asked(method, request);
    const told: unknown = await answer.json();
    const body = request[1] ?? {};
    const given =
      requestBody === undefined ? '' : misfit(requestBody.content['application/json'].schema, body);
    const taken = misfit(responses[String(answer.status)]?.content['application/json']?.schema, told);
    for (const wrong of [given, taken, answer.ok ? '' : JSON.stringify(told)].filter(Boolean))
      misfits.push(`${name} ${answer.status}: ${wrong}`);
  }
  expect(misfits).toEqual([]);
});

test('E6 all about a portable terminal is as the document says, with what its display shows', async () => {
  const { operator, pin } = LOG_IN;
  await asked('POST', ['/terminals/north/log-in', { operator, pin }]);
  await asked('POST', ['/terminals/north/enrol', { user: 9 }]);
  const told: unknown = await (await asked('GET', ['/terminals/north'])).json();
  const schema = operationOf('terminals.get').responses['200']?.content['application/json']?.schema;
  expect(misfit(schema, told)).toBe('');
  expect(told).toMatchObject({ display: { operator: { id: operator }, unsent: [{ user: 9 }] } });
});

test('E4 E6 what an option is when it is left out is told, also of one that is read from text', async () => {
  const { line, terminal } = faultsView.parse(await (await asked('GET', ['/faults'])).json());
  const late = terminal.find(({ name }) => name === 'late');
  expect(late).toMatchObject({
    options: { by: 'how late' },
    parameters: { properties: { by: { default: 300 } } },
  });
  expect(line.find(({ name }) => name === 'held')?.options).toMatchObject({
    beat: expect.stringMatching(/\w/) as string,
  });
  const enrol = operationOf('terminals.enrol').requestBody?.content['application/json'].schema;
  expect(enrol).toMatchObject({ properties: { count: { type: 'integer', default: 1 } } });
});

test('E6 every refusal is as the document says, of every route', async () => {
  const refused = document.components.schemas['Error'];
  for (const { method, name, path } of ROUTES.filter((one) => one.path.includes(':'))) {
    const answer = await asked(method, [path.replaceAll(/:\w+/g, 'nobody')]);
    expect([name, answer.status >= 400 && answer.status < 500]).toEqual([name, true]);
    expect(misfit(refused, await answer.json()), name).toBe('');
  }
});

test('E6 every event is as the document says', async () => {
  const text = await (await fetch(url('/events?after=0&count=40'))).text();
  const events = text.split('\n').filter((line) => line.startsWith('data: '));
  expect(events.length).toBe(40);
  const schema = document.components.schemas['Event'];
  for (const event of events)
    expect(misfit(schema, JSON.parse(event.slice('data: '.length))), event).toBe('');
});
