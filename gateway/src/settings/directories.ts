import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Only their owner can enter them. */
const OWN = 0o700;

/**
 * Makes a directory with those above it that are missing. One by one: all at once, Node never comes back where the system
 * says of a directory that is there that it is not, as that of /proc does.
 * @throws what the system says
 */
export function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeDirectories(above);
  try {
    mkdirSync(path, { mode: OWN });
  } catch (error) {
    // Somebody else has made it meanwhile.
    if (!existsSync(path)) throw error;
  }
}
