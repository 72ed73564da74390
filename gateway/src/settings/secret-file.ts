import { readFileSync, statSync } from 'node:fs';
import { reasonOf, WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';

/**
 * A secret from a file that only its owner can read.
 * @throws WhorlError of the given code when it is missing, empty, or others can read it
 */
export function readSecretFile(path: string, code: ErrorCode): string {
  try {
    // Windows has no such bits; there the directory's access list protects the file.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
      throw new WhorlError(code, `others may read ${path}; set its permissions to 0600`);
    const secret = readFileSync(path, 'utf8').trim();
    if (secret === '') throw new WhorlError(code, `${path} is empty`);
    return secret;
  } catch (cause) {
    if (cause instanceof WhorlError) throw cause;
    throw new WhorlError(code, `${path} could not be read: ${reasonOf(cause)}`, { cause });
  }
}
