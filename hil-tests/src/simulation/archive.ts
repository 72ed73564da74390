import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UserRecord } from '@whorl/protocol';
import type { Remembered } from './belief.ts';
import { scratchFolder } from '../rig/scratch.ts';

/** Where a gateway's data and its backups lie, and what must be true when the newest of them is brought back. */
export class Archive {
  readonly directory = scratchFolder('whorl-simulated');
  readonly data = join(this.directory, 'data');
  /** Backups that were made. */
  made = 0;
  kept:
    | {
        readonly file: string;
        readonly then: Remembered;
        /** Users that it holds. */
        readonly held: ReadonlyMap<number, UserRecord>;
      }
    | undefined;
  /** Whether one was brought back since the last moment of rest: what was counted before is not to be found any more. */
  wentBack = false;

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
