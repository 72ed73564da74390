import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);
const workspaces = ['protocol', 'device-emulator', 'gateway', 'hil-tests'];

const versions = z.record(z.string(), z.string()).default({});
const manifestSchema = z.object({
  bin: versions,
  dependencies: versions,
  devDependencies: versions,
  optionalDependencies: versions,
  peerDependencies: versions,
});

const text = (path: string): string => readFileSync(new URL(path, root), 'utf8');

describe.each(['.', ...workspaces])('%s/package.json', (folder) => {
  const manifest = manifestSchema.parse(JSON.parse(text(`${folder}/package.json`)));

  test('pins every dependency to one exact version', () => {
    const { bin: _, ...kinds } = manifest;
    const loose = Object.values(kinds)
      .flatMap((kind) => Object.entries(kind))
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
    expect(loose).toEqual([]);
  });
});

test('the lock file and the npm settings name no registry host', () => {
  expect(text('package-lock.json')).not.toMatch(/"resolved": "[\w+]+:/);
  expect(text('.npmrc')).not.toMatch(/registry\s*=|:\/\//);
});

/**
 * On Node 26.4 and later serialport 13 delivers received bytes late or never (node-serialport issue 3148). Before this
 * number is raised, a round trip over a serial port has to be shown to work.
 */
test('everything runs on Node 24', () => {
  expect(process.versions.node).toMatch(/^24\./);
});
