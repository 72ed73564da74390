import { expect, test } from 'vitest';
import { hrefOf, readRoute } from './route.ts';
import type { Route } from './route.ts';

test('what is open in detail has an address, whatever it is called', () => {
  const routes: Route[] = [
    { kind: 'site' },
    { kind: 'line', name: 'floor' },
    { kind: 'terminal', name: 'a/b #1 ü%' },
  ];
  expect(routes.map((route) => readRoute(hrefOf(route)))).toEqual(routes);
});

test('an address that leads nowhere leads to the site', () => {
  for (const fragment of ['', '#', '#/', '#/doors/1', '#/lines/', '#/terminals/%E0%A4%A', '#/lines/a/b'])
    expect(readRoute(fragment)).toEqual({ kind: 'site' });
});
