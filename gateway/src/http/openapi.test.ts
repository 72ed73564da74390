import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { openApi } from './openapi.ts';
import { ROUTES } from './routes.ts';
import { api } from './testing/bench.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { content: Readonly<Record<string, { schema: object }>> }>>;
}
const document = openApi(ROUTES) as { paths: Record<string, Record<string, Operation>>; components: object };

test('G6 the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
});

test('G6 every route is in the document, once, with its parameters', () => {
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  const wanted = ROUTES.map((route) => ({
    path: route.path.replaceAll(/:(\w+)/g, '{$1}'),
    method: route.method.toLowerCase(),
    operationId: route.name,
  }));
  expect(told).toHaveLength(wanted.length);
  expect(new Set(told.map(({ operationId }) => operationId)).size).toBe(wanted.length);
  for (const route of wanted) expect(told).toContainEqual(expect.objectContaining(route));
  for (const { path, parameters = [] } of told)
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)).toEqual(
      path.match(/\{\w+\}/g) ?? [],
    );
});

test('G6 what is served has an entry, and no entry is missing', async () => {
  const { app } = await api();
  await app.ready();
  for (const { method, path } of ROUTES) expect(app.hasRoute({ method, url: path })).toBe(true);
  const served = await app.inject({ method: 'GET', url: '/openapi.json' });
  expect(served.json()).toEqual(JSON.parse(JSON.stringify(document)));
});

test('G6 answers are as the document says', async () => {
  const { app } = await api();
  await app.inject({
    method: 'POST',
    url: '/users',
    payload: { id: 7, name: 'Ada', cards: { 0: { number: '04A1' } } },
  });
  const asked = ROUTES.filter((route) => route.method === 'GET' && route.media.includes('application/json'));
  const misfits: string[] = [];
  for (const { path, name, answer: schema } of asked) {
    const url = path.replace(':id', '7').replace(':kind', 'holdings');
    const answer = await app.inject({ method: 'GET', url });
    const parsed = schema.safeParse(answer.json());
    if (answer.statusCode !== 404 && !parsed.success) misfits.push(`${name}: ${parsed.error.message}`);
  }
  expect(misfits).toEqual([]);
});
