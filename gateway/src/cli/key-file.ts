import { statSync } from 'node:fs';
import process from 'node:process';
import { codeOf, KeyRing, readKeys, WhorlError } from '@whorl/protocol';
import { readFile } from './files.ts';

/**
 * The keys of a key file, which only its owner may read.
 * @throws WhorlError FILE_READ, KEYS_OPEN, KEYS_FORMAT naming file and line
 */
export function readKeyFile(path: string): KeyRing {
  const text = readFile(path).toString('utf8');
  // Windows has no such bits; there the folder's access list protects the file.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new WhorlError('KEYS_OPEN', path);
  try {
    return new KeyRing(readKeys(text));
  } catch (error) {
    if (codeOf(error) !== 'KEYS_FORMAT' || !(error instanceof Error)) throw error;
    throw new WhorlError('KEYS_FORMAT', `${path}, ${error.message}`, { cause: error });
  }
}
