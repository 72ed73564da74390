import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { describe, WhorlError } from '@whorl/protocol';

/** A file that grows; what was appended is in it when the call returns, whole. */
export interface Growing {
  readonly isNew: boolean;
  append(bytes: Uint8Array): void;
  close(): void;
}

/**
 * Begins a file that only its owner may read.
 * @param again goes on behind what the file holds
 * @param failed told once, when a later write fails: nothing is written from then on
 * @throws WhorlError FILE_WRITE; KEYS_OPEN when there is such a file and others may read it
 */
export function growingFile(
  path: string,
  options: { readonly again: boolean; readonly failed: (reason: string) => void },
): Growing {
  const descriptor = opened(path, options.again);
  const isNew = fstatSync(descriptor).size === 0;
  let file: number | undefined = descriptor;
  const close = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return {
    isNew,
    append(bytes) {
      if (file === undefined) return;
      try {
        writeSync(file, bytes);
      } catch (error) {
        close();
        options.failed(`${path} is not written any more: ${describe(error)}`);
      }
    },
    close,
  };
}

function opened(path: string, again: boolean): number {
  let file: number;
  try {
    file = openSync(path, again ? 'a' : 'w', 0o600);
  } catch (cause) {
    throw new WhorlError('FILE_WRITE', `${path}: ${describe(cause)}`, { cause });
  }
  // Windows has no such bits; there the folder's access list protects the file.
  if (!again || process.platform === 'win32' || (fstatSync(file).mode & 0o077) === 0) return file;
  closeSync(file);
  throw new WhorlError('KEYS_OPEN', path);
}
