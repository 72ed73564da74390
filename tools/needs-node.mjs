/** What the sources are written for; an older one cannot read them. */
const LEAST = 24;

/**
 * Ends with a sentence, and not with a stack of calls, on a Node that is too old. Plain JavaScript, as that Node reads it.
 * @param {string} command as it was typed
 */
export function needsNode(command) {
  if (Number(process.versions.node.split('.')[0]) >= LEAST) return;
  process.stderr.write(
    `${command} needs Node ${LEAST} or newer; this is ${process.versions.node}, at ${process.execPath}.\n` +
      `  In the project's folder "npx ${command}" takes the Node that "npm ci" brings along; anywhere else put a newer one first in PATH.\n`,
  );
  process.exit(1);
}

/**
 * Does what `--disable-warning=ExperimentalWarning` does, which a command cannot say on its first line: what Node still
 * calls an experiment is no news to whoever typed the command.
 */
export function hideExperiments() {
  const warn = process.emitWarning.bind(process);
  /** @type {(...given: any[]) => void} */
  const others = (warning, kind, ...more) => {
    const type = kind?.type ?? kind ?? warning?.name;
    if (type !== 'ExperimentalWarning') warn(warning, kind, ...more);
  };
  process.emitWarning = others;
}
