import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { counted, describe } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import type { Log } from '../settings/log.ts';
import type { BackupPlan } from '../settings/backup.ts';
import type { Store } from '../store/store.ts';
import { makeDirectories } from '../settings/directories.ts';

const HOUR_MS = 3_600_000;
/** After a failure it is tried again sooner than planned. */
const AGAIN_MS = 600_000;

interface Parts {
  readonly store: Pick<Store, 'backups'>;
  readonly tell: (event: NewEvent) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** The gateway's name, which those of its backups begin with. */
  readonly name: string;
  readonly plan: BackupPlan;
}

/** Makes backups by itself, and removes the oldest. */
export class BackingUp {
  readonly #parts: Parts;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The first one is due so long after the newest that is there. */
  start(): void {
    const { clock, plan } = this.#parts;
    const newest = this.#kept().at(-1);
    const made = newest === undefined ? 0 : timeOf(newest);
    this.#after(Math.max(0, made + plan.hours * HOUR_MS - clock.wallTime()));
  }

  /** Waits for one that is being made. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  #after(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#running = this.#make().then((next) => {
        this.#after(next);
      });
    });
  }

  /** @returns milliseconds until the next */
  async #make(): Promise<number> {
    const { store, tell, clock, plan, name, log } = this.#parts;
    const time = clock.wallTime();
    try {
      makeDirectories(plan.directory);
      const made = await store.backups.make(join(plan.directory, fileOf(name, time)));
      for (const old of this.#kept().slice(0, -plan.keep)) rmSync(join(plan.directory, old));
      const { file, bytes, users } = made;
      log.info({ file, bytes, users }, `backup: ${file}, ${counted(users, 'user')}, read back`);
      await tell({ type: 'backup.made', time, data: { file, bytes, users } });
      return plan.hours * HOUR_MS;
    } catch (error) {
      const reason = describe(error);
      log.error({}, `no backup could be made: ${reason}`);
      await tell({ type: 'backup.failed', time, data: { reason } });
      return AGAIN_MS;
    }
  }

  /** Oldest first. */
  #kept(): string[] {
    const { plan, name } = this.#parts;
    try {
      return readdirSync(plan.directory)
        .filter((file) => file.startsWith(`${name}-`) && Number.isFinite(timeOf(file)))
        .sort((a, b) => timeOf(a) - timeOf(b));
    } catch {
      return [];
    }
  }
}

function fileOf(name: string, time: number): string {
  return `${name}-${new Date(time).toISOString().replaceAll(/[-:.]/g, '')}.whorl`;
}

/** @returns NaN for a file that is no backup made by itself */
function timeOf(file: string): number {
  const found = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.whorl$/.exec(file);
  if (found === null) return Number.NaN;
  const [, year, month, day, hour, minute, second, ms] = found;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}
