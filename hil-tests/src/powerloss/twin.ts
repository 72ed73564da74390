import { machine, openStore } from '@whorl/gateway';
import type { Connection, Statement, Store } from '@whorl/gateway';
import { seededRandom } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import type { Call } from './calls.ts';
import { contentsOf, readingAll } from './contents.ts';
import { SimulatedDisk } from './disk.ts';
import { SimulatedFiles } from './files.ts';

/** Calls that were asked for together: one transaction. */
export interface Batch {
  readonly calls: readonly Call[];
  /** Of the keys and nonces that are made for them: asked again, they are the same. */
  readonly seed: number;
}

/** Random bytes for keys and nonces, the same for the same batch however often it is asked for. */
export class Source {
  #random: Random = seededRandom(0);

  restart(seed: number): void {
    this.#random = seededRandom(seed);
  }

  readonly bytes = (length: number): Uint8Array => this.#random.bytes(length);
}

/** What a store must hold: the same store with the engine that Node brings, in memory, where the power never goes. */
export class Twin {
  readonly store: Store;
  /** Reads everything in its database; or, on a connection of its own, in another's. */
  readonly reading: string;
  readonly #reading: Statement;
  #contents: string | undefined;
  readonly #source = new Source();

  /**
   * @param master the master key, in Base64
   * @param own the gateway's data key, wrapped
   * @param directories that backups were made to
   */
  constructor(master: string, own: Uint8Array, directories: readonly string[]) {
    const files = new SimulatedFiles(new SimulatedDisk());
    for (const one of directories) files.mkdirSync(one);
    const opened: Connection[] = [];
    const connect = (path: string): Connection => {
      opened.push(machine.connect(path));
      return opened[0] ?? machine.connect(path);
    };
    const key = Buffer.from(master, 'base64');
    let first = true;
    const random = (length: number): Uint8Array => {
      const made = first ? key : this.#source.bytes(length);
      first = false;
      return made;
    };
    this.store = openStore({ data: { memory: true }, ground: { files, connect } }, random);
    const database = opened[0] ?? connect('');
    database.prepare('UPDATE keys SET wrapped = ?').run(own);
    this.reading = readingAll(database);
    this.#reading = database.prepare(this.reading);
  }

  get contents(): string {
    // Its master key lies in memory, the other's in a file.
    return (this.#contents ??= contentsOf(this.#reading).replaceAll('"from":"memory"', '"from":"file"'));
  }

  async ask({ calls, seed }: Batch): Promise<void> {
    this.#contents = undefined;
    this.#source.restart(seed);
    await Promise.allSettled(calls.map((one) => one.ask(this.store)));
  }
}
