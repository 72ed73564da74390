import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fastify } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { servePanel } from './panel-routes.ts';

const PANEL = join(import.meta.dirname, '../panel');
const importMap = z.object({ imports: z.record(z.string(), z.string()) });

async function get(path: string): Promise<{ status: number; headers: object; body: string }> {
  const app = fastify();
  onTestFinished(() => app.close());
  servePanel(app);
  const { statusCode: status, headers, body } = await app.inject({ url: path });
  return { status, headers, body };
}

test('E6 the page may load from its own server only', async () => {
  const { headers, body } = await get('/');
  const map = /<script type="importmap">(.*)<\/script>/.exec(body)?.[1] ?? '';
  const hash = createHash('sha256').update(map).digest('base64');
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': expect.stringContaining(`script-src 'self' 'sha256-${hash}'`) as string,
  });
  expect(JSON.stringify(headers)).not.toMatch(/unsafe|https:|\*/);
  expect(body).not.toMatch(/https?:\/\//);
});

test('E6 all that the page names is there, as JavaScript, to be kept as long as the version is the same', async () => {
  const { body } = await get('/');
  const { imports } = importMap.parse(JSON.parse(/"importmap">(.*)<\/script>/.exec(body)?.[1] ?? ''));
  const linked = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path);
  const entries = Object.values(imports).filter((path) => path.endsWith('.js'));
  expect(linked.length).toBeGreaterThan(3);
  for (const path of [...linked, ...entries]) expect((await get(path)).status, path).toBe(200);
  const lit = await get(imports['lit'] ?? '');
  expect(lit.headers).toMatchObject({ 'cache-control': expect.stringContaining('immutable') as string });
});

test('E6 of zod’s messages in all languages only one is loaded', async () => {
  const { body } = await get('/');
  const [at] = /lib\/zod@[^/]+\//.exec(body) ?? [''];
  const locales = await get(`/panel/${at}v4/locales/index.js`);
  expect([locales.status, locales.body]).toEqual([200, "export { default as en } from './en.js';\n"]);
  expect((await get(`/panel/${at}v4/locales/en.js`)).status).toBe(200);
});

test('E6 sources come without types, and every one of them can', async () => {
  const sources = readdirSync(PANEL).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  for (const file of [...sources.map((name) => `panel/${name}`), 'events/event.ts', 'control/views.ts']) {
    const { status, headers, body } = await get(`/panel/${file}`);
    expect([status, headers], file).toMatchObject([
      200,
      { 'content-type': 'text/javascript; charset=utf-8' },
    ]);
    expect(body, file).not.toMatch(/^import type|: TemplateResult \{$/m);
  }
});

test.each([
  'panel/state.test.ts',
  'panel/tsconfig.json',
  'panel/nothing.ts',
  'control/server.ts',
  'panel/../control/server.ts',
  'panel/%2e%2e/control/server.ts',
  'panel/..%2fcontrol%2fserver.ts',
  'lib/lit@3.3.3/../../package.json',
  'lib/lit@3.3.3/..%2f..%2f..%2fpackage.json',
  'lib/fastify@5.12.8/fastify.js',
  'lib/zod@0.0.0/index.js',
])('nothing else is given away: %s', async (path) => {
  expect((await get(`/panel/${path}`)).status).toBe(404);
});
