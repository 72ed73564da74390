import { readFileSync, writeFileSync } from 'node:fs';
import { WhorlError } from '@whorl/protocol';

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

/** What the operating system says, without its own abbreviations. */
export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'not permitted';
    case 'EISDIR':
      return 'is a folder';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
