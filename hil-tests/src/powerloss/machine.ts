import { openStore } from '@whorl/gateway';
import type { Connection, Ground, Store } from '@whorl/gateway';
import { seededRandom } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { connectTo } from './connection.ts';
import { SimulatedDisk } from './disk.ts';
import { startEngine } from './engine.ts';
import { EngineFiles, SimulatedFiles } from './files.ts';

export interface MachineOptions {
  readonly seed: number;
  /** Changes what the gateway tells SQLite, to show what it is good for. */
  readonly told?: (sql: string) => string;
}

/** A gateway's machine with a simulated disk: it loses power, and comes back. */
export class SimulatedMachine {
  readonly disk = new SimulatedDisk();
  readonly files = new SimulatedFiles(this.disk);
  readonly ground: Ground;
  readonly #engineFiles = new EngineFiles(this.files);
  readonly #random: Random;
  #connection: Connection | undefined;

  constructor({ seed, told = (sql) => sql }: MachineOptions) {
    this.#random = seededRandom(seed);
    const engine = startEngine(this.#engineFiles, this.#random);
    this.ground = {
      files: this.files,
      connect: (path) => {
        const connection = connectTo(engine, path, told);
        this.#connection = connection;
        return connection;
      },
    };
  }

  /** The database that was opened last, for looking into it. */
  get database(): Connection {
    if (this.#connection === undefined) throw new Error('no database was opened yet');
    return this.#connection;
  }

  open(data: string, random: (length: number) => Uint8Array): Store {
    return openStore({ data, ground: this.ground }, random);
  }

  /** After the power went: whoever ran is gone, and the disk holds what was left. */
  comeBack(): void {
    if (this.#connection?.isOpen === true) this.#connection.close();
    this.files.reset();
    this.#engineFiles.reset();
    this.disk.comeBack(this.#random);
  }
}
