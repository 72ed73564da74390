import { hash } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Where a process's number means that process: on this machine, and in a container of its own only there. */
const HERE = hash('sha256', `${hostname()} ${numbers()}`).slice(0, 8);

const swept = new Set<string>();

/**
 * Makes a folder for temporary files, in whose name this process stands. Those that processes have left there which were
 * killed are removed with the first of a kind; one of a process that lives, or of another machine, is left alone.
 * @param kind first word of its name
 */
export function scratchFolder(kind: string): string {
  const all = `${kind}-${HERE}-`;
  if (!swept.has(kind)) sweep(all);
  swept.add(kind);
  return mkdtempSync(join(tmpdir(), `${all}${process.pid}-`));
}

function sweep(all: string): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(all) ? /^(\d+)-/.exec(name.slice(all.length))?.[1] : undefined;
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another run removes it at this moment, or somebody looks into it; whatever stays goes next time.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Of somebody else's process it is only known that it is there.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function numbers(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
