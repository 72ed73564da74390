import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { numberOf, optionsOf, refuse } from '../command-line.ts';
import { allKept } from '../simulation/found/kept.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutant.ts';

const HELP = `npm run --silent mutants -- [--json] [--most SEEDS] [--only WORDS] [--keep FOLDER]

Puts deliberate bugs into a copy of the gateway, one at a time, and tells how many seeds of the simulation or of the
power losses it takes until each is found, or that it is found by what is kept as a test. None may survive. With --keep,
what finds each programme's bug is made as short as it can be and kept there.

  --most SEEDS  so many are run, 200 unless given; then what is kept
  --only WORDS  bugs whose name holds these
  Ctrl-C        ends it with what was found so far, exit code 130

Example:
  npm run --silent mutants -- --only synced`;
const values = optionsOf(HELP, {
  json: { type: 'boolean', default: false },
  most: { type: 'string', default: '200' },
  only: { type: 'string', default: '' },
  keep: { type: 'string', default: '' },
});
const MOST = numberOf('most', values.most, { least: 1 });
const MEANT = MUTANTS.filter(({ name }) => name.includes(values.only));
if (MEANT.length === 0) refuse(`--only ${values.only}: no bug has this in its name`);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WORKSPACES = ['protocol', 'device-emulator', 'gateway', 'hil-tests'];
const PATIENCE_MS = 30 * 60_000;
const MOST_TEXT = 160;

const INTERRUPTED = 130;

/** After how many seeds, or by what is kept as a test when it was none of them; `null` by nothing. */
type Found = number | 'kept' | null;

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());
const copy = copyOfTree();
const found: (readonly [string, Found])[] = [];
try {
  for (const by of ['powerloss', 'programmes', 'portables', 'backups', 'sites'] as const)
    if ((await hunt({ by, first: 1, most: 3 })).found)
      throw new Error(`without any bug, ${by} finds something`);
  for (const mutant of MEANT) {
    const { by, how } = await whatFinds(mutant);
    const told = values.json ? process.stderr : process.stdout;
    told.write(`${String(by ?? 'survived').padStart(8)}  ${mutant.name}\n${' '.repeat(10)}${how}\n`);
    found.push([mutant.name, by]);
  }
  process.exitCode = found.every(([, by]) => by !== null) ? 0 : 1;
} catch (error) {
  if (!stopping.signal.aborted) throw error;
  process.exitCode = INTERRUPTED;
} finally {
  rmSync(copy, { recursive: true, force: true, maxRetries: 5 });
}
if (values.json) process.stdout.write(`${JSON.stringify(Object.fromEntries(found))}\n`);

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

async function whatFinds(mutant: Mutant): Promise<{ by: Found; how: string }> {
  const { name, file, from, to, by } = mutant;
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${name}: its text stands not once in ${file}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  const chance = await hunt({ by, first: 1, most: MOST, name }).finally(() => writeFileSync(path, text));
  if (!chance.found) return byWhatIsKept(name, chance.how);
  const without = await hunt({ by, first: chance.seed, most: chance.seed });
  if (!without.found) return { by: chance.seed, how: chance.how };
  return byWhatIsKept(name, `seed ${chance.seed} finds something without the bug, too: ${without.how}`);
}

/** @param otherwise why chance has not found it */
async function byWhatIsKept(name: string, otherwise: string): Promise<{ by: Found; how: string }> {
  const kept = allKept().find(({ mutant }) => mutant === name);
  if (kept === undefined) return { by: null, how: otherwise };
  const { status, how } = await run([join(copy, 'hil-tests/src/mutants/bitten.ts'), kept.path]);
  // What cannot be run has found nothing.
  return status !== 0 && how.startsWith('Error: seed ') ? { by: 'kept', how } : { by: null, how: otherwise };
}

interface Hunted {
  readonly found: boolean;
  /** The last that was run. */
  readonly seed: number;
  readonly how: string;
}

/** @throws when it is interrupted */
async function hunt(
  prey: Pick<Mutant, 'by'> & { readonly first: number; readonly most: number; readonly name?: string },
): Promise<Hunted> {
  const { by, first, most, name = '' } = prey;
  const file = name === '' ? '' : `${name.replaceAll(/\W+/g, '-')}.json`;
  const kept = file === '' || values.keep === '' ? [] : [resolve(values.keep, file)];
  const main = join(copy, 'hil-tests/src/mutants/hunt.ts');
  const { status, isLate, stdout, how } = await run([
    main,
    ...[by, String(first), String(most), name, ...kept],
  ]);
  const seed = Number(stdout.trim().split('\n').at(-1));
  if (isLate)
    return { found: false, seed, how: `not done after ${PATIENCE_MS / 60_000} min, at seed ${seed}` };
  return { found: status !== 0, seed, how };
}

interface Ended {
  readonly status: number | null;
  /** It had to be stopped. */
  readonly isLate: boolean;
  readonly stdout: string;
  /** The error by which it ended. */
  readonly how: string;
}

/** @throws when it is interrupted */
async function run(args: readonly string[]): Promise<Ended> {
  const running = spawn(process.execPath, args, {
    cwd: copy,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    signal: stopping.signal,
  });
  let [stdout, stderr] = ['', ''];
  running.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  running.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status, signal] = (await once(running, 'close')) as [number | null, string | null];
  stopping.signal.throwIfAborted();
  const how = /Error: .*/.exec(stderr)?.[0].slice(0, MOST_TEXT) ?? '';
  return { status, isLate: signal === 'SIGTERM', stdout, how };
}
