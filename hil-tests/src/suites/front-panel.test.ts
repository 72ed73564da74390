import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fleetSchema, serveControl, startFleet } from '@whorl/device-emulator';
import type { Fleet, FleetConfig } from '@whorl/device-emulator';
import { machineInRealTime, openStore, silentLog, startGateway } from '@whorl/gateway';
import { seededRandom, systemClock } from '@whorl/protocol';
import { Asker, PAIRING_KEY } from '@whorl/device-emulator/testing/bench';
import { syncOnce } from '@whorl/device-emulator/testing/portable';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findBrowser, namelessControls, overhang, startBrowser } from '../rig/browser.ts';
import { keyFor } from '../rig/wiring.ts';

const BROWSER = findBrowser();
const WITHOUT = 'no Chromium here: apt-get install chromium';

const FLEET = {
  lines: [
    {
      name: 'floor',
      listen: { port: 0 },
      baud: 115_200,
      terminals: [
        { name: 'front-door', address: 1 },
        { name: 'back-door', address: 2 },
        { name: 'gate', address: 3, model: 'card-500' },
      ],
      modules: [
        {
          ...{ name: 'door-7', unit: 40 },
          registers: [
            { name: 'contact', kind: 'discrete', address: 0 },
            { name: 'relay', kind: 'coil', address: 0 },
            { name: 'supply', kind: 'input', address: 0 },
          ],
        },
      ],
    },
    {
      ...{ name: 'dockyard', listen: { port: 0 } },
      terminals: [{ name: 'north', address: 7, model: 'portable-5k' }],
    },
  ],
};

interface Scene {
  readonly fleet: Fleet;
  readonly browser: Browser;
  readonly page: Page;
  readonly url: string;
  /** What the browser complained of. */
  readonly complaints: string[];
  close(): Promise<void>;
}

let scene: Scene;

beforeAll(async (): Promise<void> => {
  if (BROWSER !== undefined) scene = await build(BROWSER, fleetSchema.parse(FLEET));
}, 40_000);

afterAll(async () => {
  if (BROWSER !== undefined) await scene.close();
});

beforeEach((context) => {
  if (BROWSER === undefined) context.skip(WITHOUT);
});

/** Emulated terminals, paired with a gateway on real ports, and a browser with the panel. */
async function build(path: string, config: FleetConfig): Promise<Scene> {
  const data = mkdtempSync(join(tmpdir(), 'whorl-panel-'));
  const fleet = await startFleet(config, systemClock);
  const control = await serveControl(fleet, 0);
  const store = openStore({ data, ground: machineInRealTime });
  const floor = fleet.line('floor');
  const terminals = [...floor.terminals.values()];
  for (const terminal of terminals) terminal.setKey(keyFor(terminal.serial));
  const pairings = [...floor.terminals].map(
    ([terminal, { serial }]) => [serial, { terminal, key: keyFor(serial) }] as const,
  );
  await store.savePairings(new Map(pairings), []);
  const port = Number(/port (\d+)/.exec(floor.cable.place)?.[1]);
  const gateway = await startGateway({
    config: {
      name: 'panel',
      lines: [
        {
          name: 'floor',
          over: { kind: 'tcp', host: '127.0.0.1', port, baud: 115_200, turnaroundMs: 2, latencyMs: 60 },
          terminals: [...floor.terminals].map(([name, { address }]) => ({ name, address, groups: [] })),
        },
      ],
    },
    version: '0.0.0',
    store,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  });
  const browser = await startBrowser(path);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const url = `http://127.0.0.1:${control.port}/`;
  const close = async (): Promise<void> => {
    await browser.close();
    await gateway.stop();
    await store.close();
    await control.app.close();
    await fleet.stop();
    rmSync(data, { recursive: true, force: true });
  };
  return { fleet, browser, page, url, complaints, close };
}

/** Opens a part of the panel, which stays loaded from one test to the next. */
const open = async (fragment = '#/'): Promise<Page> => {
  const { page, url } = scene;
  await page.goto(`${url}${fragment}`);
  await page.getByText('Live', { exact: true }).waitFor();
  return page;
};

/** A switch as the mouse finds it: its thumb lies above the control. */
const turn = (page: Page, name: string): Promise<void> =>
  page.getByRole('switch', { name, exact: true }).click({ force: true });

const display = (page: Page) => page.getByRole('status', { name: 'Display' });

describe('E6 the front panel in the browser', { timeout: 60_000 }, () => {
  test('E6 a finger enrolled at one terminal with the mouse opens another one, by keyboard', async () => {
    const page = await open('#/terminals/front-door');
    await page.getByLabel('User', { exact: true }).fill('1042');
    await page.getByLabel('Name', { exact: true }).fill('Ada');
    await page.getByRole('button', { name: 'Begin enrolment' }).click();
    await display(page).getByText('1 of 3').waitFor();
    const pad = page.getByRole('button', { name: 'Press the finger' });
    await pad.click();
    await display(page).getByText('2 of 3').waitFor();
    await pad.click();
    await display(page).getByText('3 of 3').waitFor();
    await pad.click();
    await display(page).getByText('Enrolled').waitFor();
    await page.getByRole('button', { name: 'Delete user 1042' }).waitFor();

    // The gateway brings the finger; nobody has touched this terminal.
    await page.getByRole('link', { name: /back-door.*1 user/ }).click();
    await page.getByRole('article', { name: 'Terminal back-door' }).waitFor();
    await page.getByRole('button', { name: 'Press the finger' }).focus();
    await page.keyboard.press('Enter');
    await display(page).getByText('Ada').waitFor();
    await page.getByText('Door released').waitFor();
    expect(scene.fleet.terminal('back-door').terminal.user(1042)?.name).toBe('Ada');
  });

  test('E6 keys of the keypad are told by the display, and who is not known is turned away', async () => {
    const page = await open('#/terminals/gate');
    for (const key of ['9', '9', 'Hash: enter', '1', 'Hash: enter'])
      await page.getByRole('button', { name: key, exact: true }).click();
    await display(page).getByText('Not admitted').waitFor();
  });

  test('E4 E6 a fault is found, told with its sentence, switched on with parameters, seen, and put right', async () => {
    const page = await open('#/terminals/front-door');
    await page.getByRole('tab', { name: 'Faults' }).click();
    await page.getByLabel('Search faults').fill('neighbours late');
    await page.getByText('A terminal that matches a face while it is asked').waitFor();
    await page.getByText('Parameters').click();
    await page.getByLabel('chance').fill('2');
    await turn(page, 'late');
    await page.getByRole('alert').getByText('chance').waitFor();
    expect(scene.fleet.faults.active).toEqual([]);
    await page.getByLabel('chance').fill('0.5');
    await turn(page, 'late');
    await page.getByText('1 fault on').waitFor();
    await page.getByRole('link', { name: /front-door.*late/ }).waitFor();
    expect(scene.fleet.faults.active).toMatchObject([{ fault: 'late', on: 'front-door' }]);
    await turn(page, 'late');
    await page.getByText('1 fault on').waitFor({ state: 'detached' });
    expect(scene.fleet.faults.active).toEqual([]);
  });

  test('E6 power and cable are switched, and the display tells', async () => {
    const page = await open('#/terminals/gate');
    const { terminal, line } = scene.fleet.terminal('gate');
    await page.getByRole('tab', { name: 'Power and cable' }).click();
    await turn(page, 'Power');
    await page.getByRole('link', { name: /gate.*off/ }).waitFor();
    expect(terminal.power).toBe('off');
    await turn(page, 'Power');
    await display(page).getByText('Ready').waitFor();
    await turn(page, 'Cable');
    await page.getByText('off its line').waitFor();
    expect(line.medium.isPlugged(terminal)).toBe(false);
    await turn(page, 'Cable');
    await page.getByText('off its line').waitFor({ state: 'detached' });
  });

  test('E6 a portable terminal is put into its dock', async () => {
    const page = await open('#/terminals/north');
    await page.getByRole('tab', { name: 'Power and cable' }).click();
    await turn(page, 'Dock');
    await display(page).getByText('in its dock').waitFor();
    expect(scene.fleet.terminal('north').terminal.sensors.docked).toBe(true);
    await page.getByRole('button', { name: 'Take out of dock' }).click();
    await page.getByRole('button', { name: 'Put into dock' }).waitFor();
    expect(scene.fleet.terminal('north').terminal.sensors.docked).toBe(false);
  });

  test('E6 an operator logs in at a portable terminal, docks it and cancels its sync, by keyboard alone', async () => {
    const { terminal } = scene.fleet.terminal('north');
    terminal.setKey(PAIRING_KEY);
    syncOnce(new Asker(terminal), terminal);
    const page = await open('#/terminals/north');
    await page.getByRole('tab', { name: 'Power and cable' }).focus();
    await page.keyboard.press('Home');
    await page.getByText('Operators: 5 Mira').waitFor();
    await page.getByLabel('Operator').focus();
    await page.keyboard.type('5');
    await page.keyboard.press('Tab');
    await page.keyboard.type('4712');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('number or PIN is wrong').waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('4711');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    expect(terminal.display.operator).toMatchObject({ name: 'Mira' });
    expect(await page.content()).not.toContain('4711');
    // In its dock and logged out, it syncs by itself.
    for (const name of ['Put into dock', 'Log out', 'Cancel sync', 'Take out of dock']) {
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
    }
    await page.getByRole('button', { name: 'Put into dock' }).waitFor();
    expect(terminal.display).toMatchObject({ operator: undefined, supply: false });
  });

  test('E6 contacts of a module are closed with the mouse, and its relays are seen to be driven', async () => {
    const page = await open();
    const module = scene.fleet.module('door-7');
    const value = (name: string): number | undefined =>
      module.registers.find((one) => one.name === name)?.value;
    const card = page.getByRole('article', { name: 'Module door-7' });
    await card.getByRole('switch', { name: 'door-7: contact' }).click({ force: true });
    await expect.poll(() => value('contact')).toBe(1);
    module.write('coil', 0, 1);
    await expect.poll(() => card.getByRole('switch', { name: 'door-7: relay' }).isChecked()).toBe(true);
    await card.getByLabel('door-7: supply').fill('11900');
    await page.keyboard.press('Enter');
    await expect.poll(() => value('supply')).toBe(11_900);
    await card.getByRole('switch', { name: 'Power of door-7' }).click({ force: true });
    await expect.poll(() => module.alive).toBe(false);
  });

  test('E6 what a terminal measures is set where its cable is', async () => {
    const page = await open('#/terminals/front-door');
    await page.getByRole('tab', { name: 'People' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.getByLabel('Supply, mV').fill('9800');
    await page.keyboard.press('Enter');
    const { sensors } = scene.fleet.terminal('front-door').terminal;
    await expect.poll(() => sensors.supplyMv).toBe(9_800);
    await turn(page, 'Door open');
    await expect.poll(() => sensors.door).toBe(true);
  });

  test('E6 frames of a line are listed, bounded, and stand still while they are paused', async () => {
    const page = await open('#/lines/floor');
    const rows = page.getByRole('region', { name: 'Last frames' }).getByRole('row');
    await turn(page, 'Invitations and delimiters, too');
    await expect.poll(() => rows.filter({ hasText: 'invitation' }).count()).toBeGreaterThan(5);
    await page.getByRole('button', { name: 'Pause traffic' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    const first = await rows.nth(1).innerText();
    // The line goes on meanwhile.
    await (await fetch(`${scene.url}events?line=floor&kind=frame&count=10`)).text();
    expect(await rows.nth(1).innerText()).toBe(first);
    expect(await rows.count()).toBeLessThanOrEqual(61);
    await page.getByRole('button', { name: 'Go on' }).click();
    // What is said while nothing happens would soon be all that is listed.
    await turn(page, 'Invitations and delimiters, too');
    await expect.poll(() => rows.filter({ hasText: 'invitation' }).count()).toBe(0);
  });

  test('E6 lines and terminals are found by name', async () => {
    const page = await open();
    const search = page.getByLabel('Search lines and terminals');
    await search.fill('north');
    await page.getByRole('region', { name: 'Line floor' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: /north/ }).waitFor();
    await search.fill('');
  });

  test('E6 what somebody else sets is seen without asking: a door that opens', async () => {
    const page = await open('#/terminals/front-door');
    await page.getByRole('tab', { name: 'Power and cable' }).click();
    const { terminal } = scene.fleet.terminal('front-door');
    const isDoorOpen = (): Promise<boolean> =>
      page.getByRole('switch', { name: 'Door open', exact: true }).isChecked();
    terminal.sense({ door: false });
    await expect.poll(isDoorOpen).toBe(false);
    terminal.sense({ door: true });
    await expect.poll(isDoorOpen).toBe(true);
  });

  test('E6 it fits into a narrow window and a wide one, in light and dark, and every control has a name', async () => {
    const { page } = scene;
    for (const [width, scheme] of [
      [390, 'light'],
      [1920, 'dark'],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      for (const fragment of ['#/', '#/terminals/front-door', '#/terminals/north', '#/lines/floor']) {
        await open(fragment);
        expect(await overhang(page), `${width} ${fragment}`).toBeLessThanOrEqual(0);
        expect(await namelessControls(page), `${width} ${fragment}`).toEqual([]);
      }
    }
  });

  test('E6 the browser complained of nothing but what was refused on purpose', () => {
    // A request that is refused is told by the browser too: the fault with a chance of 2, the wrong PIN.
    expect(scene.complaints.filter((text) => !/ 400 | 409 /.test(text))).toEqual([]);
  });
});
