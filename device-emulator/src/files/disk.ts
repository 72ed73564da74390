import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writevSync } from 'node:fs';
import { dirname } from 'node:path';
import { WhorlError } from '@whorl/protocol';
import type { Flash } from '../firmware/flash.ts';
import { makeFolder } from './folder.ts';

/**
 * Flash in a file. Writing blocks: a terminal's processor does nothing else while it programs its flash either.
 * @param path of the file; its folder is made when missing
 */
export function diskFlash(path: string): Flash {
  let file: number | undefined;

  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw new WhorlError('FLASH_FAILED', `${path}: ${cause instanceof Error ? cause.message : ''}`, {
        cause,
      });
    }
  };
  const close = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  const replace = (parts: readonly Uint8Array[]): void => {
    const folder = dirname(path);
    makeFolder(folder);
    const next = openSync(`${path}.tmp`, 'w', 0o600);
    try {
      writeAll(next, parts);
      fsyncSync(next);
    } finally {
      closeSync(next);
    }
    close();
    renameSync(`${path}.tmp`, path);
    syncFolder(folder);
  };

  return {
    read: () => guarded(() => readIfThere(path)),
    append: (parts, durable) =>
      guarded(() => {
        file ??= openToAppend(path);
        writeAll(file, parts);
        if (durable) fdatasyncSync(file);
      }),
    replace: (parts) => guarded(() => replace(parts)),
    close,
  };
}

function openToAppend(path: string): number {
  makeFolder(dirname(path));
  return openSync(path, 'a', 0o600);
}

function readIfThere(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Uint8Array(0);
    throw error;
  }
}

/** The kernel takes at most so many arrays in one call. */
const ARRAYS_PER_WRITE = 1000;

function writeAll(file: number, parts: readonly Uint8Array[]): void {
  for (let from = 0; from < parts.length; from += ARRAYS_PER_WRITE) {
    const some = parts.slice(from, from + ARRAYS_PER_WRITE);
    const size = some.reduce((sum, part) => sum + part.length, 0);
    const written = writevSync(file, some);
    if (written !== size)
      throw new Error(`only ${written.toString()} of ${size.toString()} bytes were written`);
  }
}

/** A rename is durable once its folder is; where a folder cannot be opened, the file system sees to it. */
function syncFolder(folder: string): void {
  let file: number | undefined;
  try {
    file = openSync(folder, 'r');
    fsyncSync(file);
  } catch {
    return;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
