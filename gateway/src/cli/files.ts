import { readFileSync, writeFileSync } from 'node:fs';
import { reasonOf, WhorlError } from '@whorl/protocol';

/** @throws WhorlError FILE_READ */
export function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WhorlError('FILE_READ', `${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** Writes a file that only its owner may read. @throws WhorlError FILE_WRITE */
export function writeFile(path: string, text: string | Uint8Array): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (cause) {
    throw new WhorlError('FILE_WRITE', `${path}: ${reasonOf(cause)}`, { cause });
  }
}
