import { dirname } from 'node:path';
import process from 'node:process';
import type { Files } from './ground.ts';

/** Writes a file whole or not at all, readable by its owner only; once this returns, it outlives a power loss. */
export function writeDurably(files: Files, path: string, text: string): void {
  const fresh = `${path}.new`;
  files.rmSync(fresh, { force: true });
  const file = files.openSync(fresh, 'wx', 0o600);
  try {
    files.writeSync(file, text);
    files.fsyncSync(file);
  } finally {
    files.closeSync(file);
  }
  files.renameSync(fresh, path);
  syncDirectory(files, dirname(path));
}

/** A name is durable once its directory is; Windows opens no directories and sees to it by itself. */
export function syncDirectory(files: Files, path: string): void {
  if (process.platform === 'win32') return;
  const directory = files.openSync(path, 'r');
  try {
    files.fsyncSync(directory);
  } finally {
    files.closeSync(directory);
  }
}

/** Makes a directory that only its owner can enter, with those above it that are missing; all of them outlive a power loss. */
export function makeDirectory(files: Files, path: string): void {
  if (files.existsSync(path)) return;
  const above = dirname(path);
  makeDirectory(files, above);
  files.mkdirSync(path, { recursive: true, mode: 0o700 });
  syncDirectory(files, above);
}
