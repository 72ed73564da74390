import { createServer } from 'node:http';
import { fleetSchema, serveControl, startFleet } from '@whorl/device-emulator';
import type { Fleet } from '@whorl/device-emulator';
import { systemClock } from '@whorl/protocol';
import type { Browser, Request } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findBrowser, startBrowser } from '../rig/browser.ts';

const BROWSER = findBrowser();
const WITHOUT = 'no Chromium here: apt-get install chromium';

const FLEET = {
  lines: [
    { name: 'yard', listen: { port: 0 }, terminals: [{ name: 'gate', users: { count: 100, fingers: 1 } }] },
  ],
};

let browser: Browser;
let fleet: Fleet;
let url: string;
let close: () => Promise<void>;

beforeAll(async (): Promise<void> => {
  if (BROWSER === undefined) return;
  browser = await startBrowser(BROWSER);
  fleet = await startFleet(fleetSchema.parse(FLEET), systemClock);
  const { app, port } = await serveControl(fleet, 0);
  url = `http://127.0.0.1:${port}/`;
  close = async () => {
    await browser.close();
    await app.close();
    await fleet.stop();
  };
}, 40_000);

afterAll(async () => {
  if (BROWSER !== undefined) await close();
});

beforeEach((context) => {
  if (BROWSER === undefined) context.skip(WITHOUT);
});

/** What somebody else's page can try: requests that need no permission, a form, an image, a stream. */
function evilPage(url: string): string {
  return `<!doctype html><ul></ul><iframe name="away"></iframe>
<form method="post" target="away" action="${url}faults/gate/deaf"></form><img src="${url}terminals">
<script>
const tell = (text) => document.querySelector('ul').append(Object.assign(document.createElement('li'), { textContent: text }));
document.forms[0].submit();
(async () => {
  await fetch('${url}terminals/gate/power-off', { method: 'POST', mode: 'no-cors' }).catch(() => 0);
  const body = await fetch('${url}terminals').then((answer) => answer.text()).catch(() => 'nothing');
  tell('fetch: ' + body);
  const stream = new EventSource('${url}events?after=0');
  tell('stream: ' + await new Promise((told) => { stream.onmessage = ({ data }) => told(data); stream.onerror = () => told('nothing'); }));
  stream.close();
  document.body.append('tried all');
})();
</script>`;
}

describe('E6 the page of the front panel', { timeout: 60_000 }, () => {
  test('E6 after its emulator was started again the page shows what is there now, without being loaded', async () => {
    const lines = (count: number): object => ({
      lines: [{ name: 'hall', listen: { port: 0 }, terminals: [{ name: 'hall-1', users: { count } }] }],
    });
    const first = await startFleet(fleetSchema.parse(lines(1)), systemClock);
    const control = await serveControl(first, 0);
    const page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(`http://127.0.0.1:${control.port}/#/terminals/hall-1`);
    await page.getByRole('button', { name: 'Delete user 1', exact: true }).waitFor();
    await control.app.close();
    await first.stop();
    await page.getByText('The emulator does not answer any more').waitFor();
    const second = await startFleet(fleetSchema.parse(lines(3)), systemClock);
    const again = await serveControl(second, control.port);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Delete user 3', exact: true }).waitFor();
    second.terminal('hall-1').terminal.remove(3);
    await page.getByRole('button', { name: 'Delete user 3', exact: true }).waitFor({ state: 'detached' });
    await page.close();
    await again.app.close();
    await second.stop();
  });

  test('E6 a page of another origin can neither drive the emulator nor read from it', async () => {
    const asked: string[] = [];
    const note = (request: Request): number => asked.push(new URL(request.url()).pathname);
    const page = await browser.newPage();
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(evilPage(url));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    page.on('requestfinished', note);
    page.on('requestfailed', note);
    await page.goto(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`);
    await page.getByText('tried all').waitFor();
    expect(await page.getByRole('listitem').allInnerTexts()).toEqual(['fetch: nothing', 'stream: nothing']);
    await expect
      .poll(() => asked)
      .toEqual(
        expect.arrayContaining(['/terminals/gate/power-off', '/faults/gate/deaf', '/terminals', '/events']),
      );
    expect(fleet.terminal('gate').terminal.power).toBe('on');
    expect(fleet.faults.active).toEqual([]);
    await page.close();
    server.close();
  });

  test('E6 when a file of the page does not come, the page says which one', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.route('**/terminal-tile.ts', (route) => route.fulfill({ status: 404, body: '{}' }));
    await page.goto(url);
    await page.getByRole('alert').getByText('/panel/panel/terminal-tile.ts did not come').waitFor();
    await page.unroute('**/terminal-tile.ts');
    await page.getByRole('button', { name: 'Load it again' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.close();
  });

  test('E6 a list that scrolls by itself makes the page no longer', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 900 } });
    page.setDefaultTimeout(10_000);
    await page.goto(`${url}#/terminals/gate`);
    await page.getByRole('button', { name: 'Delete user 1', exact: true }).waitFor();
    const beyond = 'document.documentElement.scrollHeight - document.body.scrollHeight';
    expect(await page.evaluate(beyond)).toBe(0);
    await page.close();
  });
});
