import { reasonOf, WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  5: 'STORE_BUSY',
  6: 'STORE_BUSY',
  8: 'STORE_READONLY',
  10: 'STORE_IO',
  11: 'STORE_CORRUPT',
  13: 'STORE_FULL',
  14: 'STORE_IO',
  26: 'STORE_CORRUPT',
};

/** What the file system says when it cannot. */
const FILE_CODES: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'STORE_READONLY',
  EPERM: 'STORE_READONLY',
  EROFS: 'STORE_READONLY',
  ENOSPC: 'STORE_FULL',
  EDQUOT: 'STORE_FULL',
};

/**
 * Runs what works on the database at `path`, and gives its errors our codes.
 * @throws WhorlError STORE_*; as it is what SQLite does not throw
 */
export function translated<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') {
      const code = CODES[error.errcode & 0xff];
      if (code !== undefined) throw new WhorlError(code, `${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Likewise for work on files. @throws WhorlError STORE_FOLDER, STORE_READONLY, STORE_FULL, STORE_IO */
export function translatedFile<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
    const code = FILE_CODES[String(error.code)];
    // Where nothing was there before there is no disk that could have failed.
    if (error.syscall === 'mkdir' && code !== 'STORE_FULL')
      throw new WhorlError('STORE_FOLDER', `${pathOf(error)}: ${reasonOf(error)}`, { cause: error });
    throw new WhorlError(code ?? 'STORE_IO', error.message, { cause: error });
  }
}

function pathOf(error: Error): string {
  return 'path' in error ? String(error.path) : 'the folder';
}
