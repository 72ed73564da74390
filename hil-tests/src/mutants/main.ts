import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutant.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    most: { type: 'string', default: '200' },
    only: { type: 'string', default: '' },
    keep: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
const HELP = `npm run --silent mutants -- [--json] [--most SEEDS] [--only WORDS] [--keep FOLDER]

Puts deliberate bugs into a copy of the gateway, one at a time, and tells how many seeds of the simulation or of the
power losses it takes until each is found. None may survive. With --keep, what finds each programme's bug is made as
short as it can be and kept there.

Example:
  npm run --silent mutants -- --only synced`;
if (values.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WORKSPACES = ['protocol', 'device-emulator', 'gateway', 'hil-tests'];
const PATIENCE_MS = 30 * 60_000;
const MOST_TEXT = 160;

const copy = copyOfTree();
try {
  for (const by of ['powerloss', 'programmes', 'portables', 'backups', 'sites'] as const)
    if (hunt(by, '3').status !== 0) throw new Error(`without any bug, ${by} finds something`);
  const found = MUTANTS.filter(({ name }) => name.includes(values.only)).map((mutant) => {
    const { seeds, how } = seedsToFind(mutant);
    if (!values.json)
      process.stdout.write(
        `${String(seeds ?? 'survived').padStart(8)}  ${mutant.name}\n${' '.repeat(10)}${how}\n`,
      );
    return [mutant.name, seeds ?? null] as const;
  });
  if (values.json) process.stdout.write(`${JSON.stringify(Object.fromEntries(found))}\n`);
  process.exitCode = found.every(([, seeds]) => seeds !== null) ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** The workspaces as they are, on the same packages. */
function copyOfTree(): string {
  const to = mkdtempSync(join(tmpdir(), 'whorl-mutants-'));
  const isOurs = (path: string): boolean => !path.endsWith('node_modules');
  for (const name of [...WORKSPACES, 'package.json'])
    cpSync(join(ROOT, name), join(to, name), { recursive: true, filter: isOurs });
  for (const place of ['', ...WORKSPACES]) linkPackages(join(ROOT, place), join(to, place));
  cpSync(join(ROOT, 'node_modules/@whorl'), join(to, 'node_modules/@whorl'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  return to;
}

function linkPackages(from: string, to: string): void {
  const modules = join(from, 'node_modules');
  const names = readdirSync(from).includes('node_modules') ? readdirSync(modules) : [];
  for (const name of names.filter((one) => one !== '@whorl')) {
    mkdirSync(join(to, 'node_modules'), { recursive: true });
    symlinkSync(join(modules, name), join(to, 'node_modules', name));
  }
}

/** @returns how many seeds were run until one found it, `undefined` when none did; and what it said */
function seedsToFind({ name, file, from, to, by }: Mutant): { seeds: number | undefined; how: string } {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${name}: its text stands not once in ${file}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    const { status, stdout, stderr } = hunt(by, values.most, name);
    const how = /Error: .*/.exec(stderr)?.[0].slice(0, MOST_TEXT) ?? '';
    return { seeds: status === 0 ? undefined : stdout.trim().split('\n').length, how };
  } finally {
    writeFileSync(path, text);
  }
}

function hunt(
  by: Mutant['by'],
  most: string,
  mutant?: string,
): { status: number | null; stdout: string; stderr: string } {
  const main = join(copy, 'hil-tests/src/mutants/hunt.ts');
  const file = mutant === undefined ? '' : `${mutant.replaceAll(/\W+/g, '-')}.json`;
  const kept = file === '' || values.keep === '' ? [] : [resolve(values.keep, file)];
  return spawnSync(process.execPath, [main, by, most, mutant ?? '', ...kept], {
    cwd: dirname(main),
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
}
