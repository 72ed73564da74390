/**
 * Runs a part of the project on the pinned Node, installing first where that is needed.
 *
 *     node tools/run.mjs --install             install only
 *     node tools/run.mjs --bin vitest run      a tool from node_modules
 *     node tools/run.mjs path/to/main.ts …     a file of ours
 *
 * Plain JavaScript without dependencies: it is what runs when nothing is installed yet, on whatever Node there is.
 * What it says goes to stderr, so that stdout is the target's alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const windows = process.platform === 'win32';
const pinned = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');
const oldestNode = 20;

/** @param {string} message */
function say(message) {
  process.stderr.write(`${message}\n`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  say(`\n${message}`);
  process.exit(1);
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * Says why an install is due, or nothing when what is installed is what the lock file names. Contents are compared, not
 * file times: a checkout touches files that did not change.
 */
function whyInstall() {
  const installedFile = join(modules, '.package-lock.json');
  if (!existsSync(installedFile) || !existsSync(pinned)) return 'Nothing is installed yet.';
  const wanted = readJson(join(root, 'package-lock.json')).packages;
  const installed = readJson(installedFile).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/')) continue;
    const found = installed[path];
    const skippable = entry.optional || entry.devOptional;
    if (found === undefined ? !skippable : found.version !== entry.version) {
      return `The lock file asks for another ${path.slice('node_modules/'.length)}.`;
    }
  }
  return undefined;
}

function install() {
  const reason = whyInstall();
  if (reason === undefined) return;
  if (windows && process.execPath.startsWith(modules + sep)) {
    fail(`${reason} Windows cannot replace the Node that is running. Run "npm ci" yourself, then try again.`);
  }
  say(`${reason} Installing with "npm ci": about half a minute on a good connection …`);
  // Engine warnings are about the Node that installs; the one that runs is pinned. The log level is said here because
  // "npm run --silent" would pass its own on.
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund'];
  const cli = process.env['npm_execpath'];
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const result = cli?.endsWith('.js')
    ? spawnSync(process.env['npm_node_execpath'] ?? process.execPath, [cli, ...args], options)
    : spawnSync('npm', args, { ...options, shell: windows });
  if (result.error !== undefined) {
    fail(
      `npm could not be started: ${result.error.message}. Install Node ${oldestNode} or later with its npm.`,
    );
  }
  if (result.status !== 0) {
    fail(
      '"npm ci" failed; its own message stands above. Mostly it is the way to the npm registry: check the network,\n' +
        '"npm config get registry" and the proxy settings. If it says that package.json and the lock file disagree, run\n' +
        '"npm install". Then run the same command again.',
    );
  }
  if (!existsSync(pinned)) {
    fail(
      'Everything was installed except the pinned Node itself, which comes through an install script. If install\n' +
        'scripts are turned off here ("npm config get ignore-scripts"), run "npm ci --ignore-scripts=false".',
    );
  }
}

/** @param {string} name */
function binOf(name) {
  const folder = join(modules, name);
  const { bin } = readJson(join(folder, 'package.json'));
  return join(folder, typeof bin === 'string' ? bin : bin[name]);
}

/** The pinned Node first on the path, for whatever the target starts. */
function environment() {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  return { ...process.env, [name]: [dirname(pinned), process.env[name]].filter(Boolean).join(delimiter) };
}

/** @param {string[]} args */
function run(args) {
  // Types are taken away for the browser by what Node does for itself, and calls an experiment.
  const quiet = '--disable-warning=ExperimentalWarning';
  const child = spawn(pinned, [quiet, ...args], { stdio: 'inherit', env: environment() });
  // Ctrl-C reaches the child by itself; this process only outlives it to hand on its exit code.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${pinned} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  fail(`Node ${oldestNode} or later is needed to install; this is ${process.versions.node}.`);
}
const [first, ...rest] = process.argv.slice(2);
if (first === undefined) fail('Usage: node tools/run.mjs --install | --bin TOOL [ARGS] | FILE [ARGS]');
install();
if (first === '--bin') run([binOf(rest[0]), ...rest.slice(1)]);
else if (first !== '--install') run([join(root, first), ...rest]);
