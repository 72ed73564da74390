import type { Random } from '@whorl/protocol';
import type { Company } from './company.ts';
import type { Premises } from './premises.ts';
import type { Truth } from './truth.ts';

/** One run: a company, what must be true of it, and where chance comes from. */
export interface Run {
  readonly company: Company;
  readonly truth: Truth;
  /** Of the step that is done. */
  readonly random: Random;
  /** Numbers that people have. */
  readonly users: number;
  /** Machines that are out of order until a time: nobody starts them before. */
  readonly down: Map<Premises, number>;
  /** Links that are cut until a time, by sync id. */
  readonly cut: Map<number, number>;
  /** Backups that were made: files by gateway. */
  readonly backups: Map<Premises, Backup>;
  /** When a site came to its master as another machine last. */
  readonly moved: Map<Premises, number>;
  readonly trace: string[];
  /** Makes every credential another one, and every backup. */
  readonly count: { credentials: number; backups: number };
}

export interface Backup {
  readonly file: string;
  readonly time: number;
}

/** Something that people or the world do; answers what it was, or nothing when it does not apply. */
export type Deed = (run: Run) => Promise<string | undefined> | string | undefined;
