import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, FACE_MAX_BYTES, VirtualClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { showModel, showModels, tellModels } from '../control/models.ts';
import { QUIRK_NAMES, QUIRKS } from '../firmware/quirks.ts';
import { parseFleet, readFleet } from '../fleet/config.ts';
import { startFleet } from '../fleet/fleet.ts';
import { MODEL_NAMES, MODELS, modelFileOf, modelNamed } from './built-in.ts';
import { fileOf, modelOf, parseModelFile } from './file.ts';

const FINGER = readFileSync(join(import.meta.dirname, '../../models/finger-10k.yaml'), 'utf8');

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return `${codeOf(error) ?? ''} ${error instanceof Error ? error.message : ''}`;
  }
  return 'none';
}

test('E1 the models that are shipped: 500 cards, 10,000 fingers, 100,000 faces of 80 KB, and a portable one', () => {
  expect(MODEL_NAMES.map((name) => [name, MODELS[name].capabilities.users])).toEqual([
    ['card-500', 500],
    ['finger-10k', 10_000],
    ['face-100k', 100_000],
    ['portable-5k', 5_000],
  ]);
  expect(MODELS['face-100k'].sizes.face).toBe(FACE_MAX_BYTES);
  expect(MODELS['portable-5k'].capabilities.does.portable).toBe(true);
});

test('E1 what a terminal comes with has no quirks, and every quirk is that of some firmware', () => {
  expect(MODEL_NAMES.flatMap((name) => [...MODELS[name].quirks])).toEqual([]);
  const had = tellModels().flatMap(({ firmware }) => firmware.flatMap(({ quirks }) => quirks));
  expect(new Set(had.map(({ name }) => name))).toEqual(new Set(QUIRK_NAMES));
});

test('E1 a firmware differs from the newest in what its file says, and in nothing else', () => {
  const [now, then] = [modelNamed('finger-10k'), modelNamed('finger-10k', '1.2.0')];
  expect(then.capabilities).toEqual({
    ...now.capabilities,
    mtu: 256,
    does: { ...now.capabilities.does, patches: false, clock: false },
  });
  expect([now.firmware, then.firmware]).toEqual(['3.2.0', '1.2.0']);
  expect([...then.quirks]).toContain('clock-forgotten');
  expect({ ...then, ...{ capabilities: 0, quirks: 0, firmware: 0 } }).toEqual({
    ...now,
    ...{ capabilities: 0, quirks: 0, firmware: 0 },
  });
});

test('E1 a model is told as a file, and is the same again from it', () => {
  const model = modelNamed('card-500', '1.2.0');
  expect(modelOf(parseModelFile('told', JSON.stringify(fileOf(model))))).toEqual(model);
});

test.each([
  [
    'an unknown key',
    ['mtu: 1100', 'mtu: 1100\n  mtuu: 7'],
    'own.yaml:16 capabilities.mtuu: unknown key; did you mean mtu?',
  ],
  ['a quirk that nothing has', ['[flash-half-written]', '[flash-half]'], 'own.yaml:26 firmware.1.quirks.0'],
  ['a number out of range', ['users: 10000', 'users: 0'], 'own.yaml:5 capabilities.users'],
  ['a time without a unit', ['boot: 500ms', 'boot: soon'], 'a time is written 16ms, 10s, 5m, 2h or 1d'],
  ['slots without a format', ['fingerFormats: [1]', 'fingerFormats: []'], '10 finger slots, and no format'],
  ['slots of nothing', ['finger: 384', 'finger: 0'], 'say how many bytes a finger has'],
  ['a firmware twice', ['version: 3.0.1', 'version: 3.2.0'], 'firmware.1: 3.2.0 is there twice'],
  ['no firmware', ['version: 3.2.0', 'vers: 3.2.0'], 'did you mean version?'],
] as const)('E1 E5 a model file with %s is told by file, line and place', (_, [from, to], told) => {
  const text = FINGER.replace(from, to);
  expect(text).not.toBe(FINGER);
  expect(problem(() => parseModelFile('own.yaml', text))).toMatch(/^MODEL_FILE own\.yaml/);
  expect(problem(() => parseModelFile('own.yaml', text))).toContain(told);
});

test('E5 a model or firmware that there is not is told with the one that was probably meant', () => {
  expect(problem(() => modelFileOf('finger-10'))).toBe(
    'MODEL_UNKNOWN no model is called finger-10; did you mean finger-10k?',
  );
  expect(problem(() => modelNamed('finger-10k', '1.2'))).toBe(
    'MODEL_UNKNOWN finger-10k has no firmware 1.2; did you mean 1.2.0?',
  );
  const fleet = (more: string): string =>
    problem(() =>
      parseFleet('f.yaml', `lines: [{ name: a, listen: { port: 0 }, terminals: [{ name: t, ${more} }] }]`),
    );
  expect(fleet('model: card-5000')).toContain('lines.0.terminals.0.model: no model is called card-5000');
  expect(fleet('model: card-500, firmware: 9')).toContain('Invalid input: expected string');
  expect(fleet("model: card-500, firmware: '9'")).toContain('firmware: card-500 has no firmware 9');
  expect(fleet('quirks: [names-cuts]')).toContain('lines.0.terminals.0.quirks.0');
});

test('E5 a fleet file has terminals of an own model, of an older firmware, and with quirks of their own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-models-'));
  writeFileSync(
    join(folder, 'mine.yaml'),
    FINGER.replace('finger-10k', 'mine').replace('users: 10000', 'users: 77'),
  );
  const terminal = (name: string, more: string): string =>
    `  - { name: ${name}-line, listen: { port: 0 }, terminals: [{ name: ${name}, ${more} }] }\n`;
  writeFileSync(
    join(folder, 'fleet.yaml'),
    `lines:\n${terminal('own', 'model: ./mine.yaml')}${terminal('old', "firmware: '1.2.0'")}${terminal('odd', 'quirks: [names-cut]')}`,
  );
  const fleet = await startFleet(readFleet(join(folder, 'fleet.yaml')), new VirtualClock());
  onTestFinished(() => fleet.stop());
  const [own, old, odd] = ['own', 'old', 'odd'].map((name) => fleet.terminal(name).terminal.model);
  expect(own).toMatchObject({ name: 'mine', capabilities: { users: 77 } });
  expect(old).toMatchObject({ name: 'finger-10k', firmware: '1.2.0', capabilities: { mtu: 256 } });
  expect([...(odd?.quirks ?? [])]).toEqual(['names-cut']);
});

test('E1 models are told with their firmwares, and what each quirk looks like in the field', () => {
  const list = showModels(tellModels());
  for (const name of MODEL_NAMES) expect(list).toContain(name);
  const [finger] = tellModels('finger-10k');
  if (finger === undefined) throw new Error('it is not told');
  const all = showModel(finger);
  for (const name of modelNamed('finger-10k', '1.2.0').quirks) expect(all).toContain(QUIRKS[name].field);
  expect(all).toContain('10 of 384 bytes, formats 1');
  expect(problem(() => tellModels('./nowhere.yaml'))).toContain('MODEL_FILE');
});
