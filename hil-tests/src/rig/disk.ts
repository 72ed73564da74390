import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A way to make a database fail for real, and to mend it. */
export interface Fault {
  /** From now on nothing more can be written. */
  begin(): void;
  end(): void;
}

/** A directory on a file system of its own. */
export interface Disk extends Fault {
  readonly path: string;
  remove(): void;
}

/** Whether this process may mount a file system. */
export function mayMount(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && probe();
}

function probe(): boolean {
  try {
    smallDisk('64k').remove();
    return true;
  } catch {
    return false;
  }
}

/** A small file system in memory, mounted; `begin` fills it to the last byte. @param size as mount takes it */
export function smallDisk(size: string): Disk {
  const path = mkdtempSync(join(tmpdir(), 'whorl-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'ignore' });
  } catch (error) {
    rmSync(path, { recursive: true });
    throw error;
  }
  const filler = join(path, 'filler');
  return {
    path,
    begin() {
      const file = openSync(filler, 'a');
      for (const piece of [4096, 1])
        try {
          for (;;) writeSync(file, Buffer.alloc(piece, 1));
        } catch {
          continue;
        }
      closeSync(file);
    },
    end() {
      rmSync(filler, { force: true });
    },
    remove() {
      execFileSync('umount', ['-l', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

export function mayLimit(): boolean {
  return process.platform === 'linux' && spawnSync('prlimit', ['--version']).error === undefined;
}

/**
 * Files of a process may not grow beyond what the write-ahead log has now: SQLite is told so as an I/O error. Needs no
 * privilege.
 */
export function fileLimit(data: string, pid = process.pid): Fault {
  const log = join(data, 'whorl.db-wal');
  const limit = (bytes: string): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
  };
  return {
    begin() {
      limit(String(existsSync(log) ? statSync(log).size : 0));
    },
    end() {
      limit('unlimited');
    },
  };
}
