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
