import {
  Assembly,
  codeOf,
  openChunk,
  patched,
  readBatch,
  readPatches,
  readRecord,
  recordOf,
  wholePatch,
} from '@whorl/protocol';
import type { Body, Message, ObjectHead, UserRecord } from '@whorl/protocol';

/** Users that crossed the lines, put together from what was sent of them. */
export class Objects {
  /** The latest of each, as it was. */
  readonly users = new Map<number, UserRecord>();
  readonly #open = new Map<string, Arriving>();
  readonly #told: (object: Uint8Array, kind: About['kind']) => void;

  /** @param told of each object that is complete */
  constructor(told: (object: Uint8Array, kind: About['kind']) => void = () => undefined) {
    this.#told = told;
  }

  /**
   * Takes a message.
   * @param place line and, for what terminals offer, address
   * @returns users that are complete with it
   */
  take(place: string, message: Message, fromTerminal: boolean): readonly UserRecord[] {
    const way = fromTerminal ? 'back' : 'forth';
    switch (message.name) {
      case 'transfer.offered':
        this.#begin(`${place} back`, message.body, { kind: 'offered', same: message.body.same });
        return [];
      case 'transfer.begin':
      case 'transfer.announce':
        this.#begin(`${place} forth`, message.body, { kind: message.body.kind });
        return [];
      case 'transfer.share':
        this.#begin(`${place} forth`, message.body, { kind: message.body.kind, key: message.body.key });
        return [];
      case 'chunk':
        return this.#add(`${place} ${way} ${message.body.transfer}`, message.body);
      default:
        return [];
    }
  }

  #begin(place: string, body: ObjectHead & { readonly transfer: number }, about: About): void {
    const key = `${place} ${body.transfer}`;
    const { size, chunk, digest } = body;
    const known = this.#open.get(key);
    if (known !== undefined && Buffer.compare(known.object.head.digest, digest) === 0) return;
    this.#open.set(key, { about, object: new Assembly({ size, chunk, digest: digest.slice() }) });
  }

  #add(key: string, { index, data }: Body<'chunk'>): readonly UserRecord[] {
    const arriving = this.#open.get(key);
    if (arriving === undefined) return [];
    const { about, object } = arriving;
    try {
      object.add(index, about.key === undefined ? data : openChunk(about.key, index, data));
      if (!object.arrived.complete) return [];
      this.#open.delete(key);
      const bytes = object.finish();
      this.#told(bytes, about.kind);
      return this.#read(about, bytes);
    } catch (error) {
      // What does not fit is another object's: a capture can have begun within it.
      if (codeOf(error) === undefined) throw error;
      return [];
    }
  }

  #read(about: About, bytes: Uint8Array): readonly UserRecord[] {
    if (about.kind === 'file') return [];
    if (about.kind === 'offered') {
      const rest = readRecord(bytes);
      const held = this.users.get(rest.id)?.fields;
      const same = about.same?.flatMap((field): [number, Uint8Array][] => {
        const value = held?.get(field);
        return value === undefined ? [] : [[field, value]];
      });
      return [this.#know(recordOf(rest.id, [...rest.fields, ...(same ?? [])]))];
    }
    const patches = about.kind === 'patches' ? readPatches(bytes) : readBatch(bytes).map(wholePatch);
    return patches.map((patch) =>
      this.#know(patched(this.users.get(patch.changed.id), patch) ?? patch.changed),
    );
  }

  #know(record: UserRecord): UserRecord {
    this.users.set(record.id, record);
    return record;
  }
}

interface About {
  readonly kind: 'users' | 'patches' | 'file' | 'offered';
  readonly key?: Uint8Array;
  readonly same?: readonly number[];
}

interface Arriving {
  readonly about: About;
  readonly object: Assembly;
}
