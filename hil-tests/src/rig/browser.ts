import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of this machine; `undefined` when it has none. */
export function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Starts it without a window. */
export function startBrowser(path: string): Promise<Browser> {
  // Its own sandbox needs what containers lack; only our own pages are opened.
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** Roles of what people press and fill in, and of what must be told apart. */
const CONTROLS = new Set([
  ...['button', 'link', 'textbox', 'searchbox', 'spinbutton', 'combobox', 'option', 'switch', 'checkbox'],
  ...['tab', 'tabpanel', 'img', 'region'],
]);

/** What somebody who sees nothing could not tell apart: controls without a name, as role and place in the page. */
export async function namelessControls(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes
    .filter(({ ignored, role, name }) => {
      const roleName: unknown = role?.value;
      return !ignored && typeof roleName === 'string' && CONTROLS.has(roleName) && !name?.value;
    })
    .map(({ role, nodeId }) => `${String(role?.value)} ${nodeId}`);
}

/** How far the page is wider than its window, pixels. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth');
}
