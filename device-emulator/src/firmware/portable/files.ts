import { digestOf } from '@whorl/protocol';
import type { Body } from '@whorl/protocol';
import type { Op } from '../ops.ts';

export type FileHead = Body<'file.open'>;

/** A file as it is kept: from its beginning on, until it is complete. */
export interface StoredFile extends FileHead {
  readonly parts: Uint8Array[];
  stored: number;
}

/** The files that a terminal keeps, and those that are on their way. */
export class Files {
  readonly #files = new Map<string, StoredFile>();

  get(digest: Uint8Array): StoredFile | undefined {
    return this.#files.get(keyOf(digest));
  }

  /** By the bytes of their names; while one is on its way, there may be two of a name. */
  all(): readonly StoredFile[] {
    return [...this.#files.values()].sort((a, b) => compareNames(a.name, b.name));
  }

  named(name: string): readonly StoredFile[] {
    return this.all().filter((file) => file.name === name);
  }

  open(head: FileHead): void {
    const { name, kind, size } = head;
    const digest = head.digest.slice();
    this.#files.set(keyOf(digest), { name, kind, size, digest, parts: [], stored: 0 });
  }

  add(digest: Uint8Array, bytes: Uint8Array): void {
    const file = this.get(digest);
    if (file === undefined) return;
    file.parts.push(bytes);
    file.stored += bytes.length;
    if (file.stored < file.size) return;
    for (const other of this.named(file.name)) if (other !== file) this.drop(other.digest);
  }

  drop(digest: Uint8Array): void {
    this.#files.delete(keyOf(digest));
  }

  clear(): void {
    this.#files.clear();
  }

  *snapshot(): Generator<Op> {
    for (const { name, kind, size, digest, parts } of this.#files.values()) {
      yield { name: 'fileOpened', digest, size, kind, bytes: Buffer.from(name) };
      for (const bytes of parts) yield { name: 'filePart', digest, bytes };
    }
  }
}

/** Whether these bytes are the end that makes a file whole. */
export function isWhole(file: StoredFile, last: Uint8Array): boolean {
  return Buffer.compare(digestOf(Buffer.concat([...file.parts, last])), file.digest) === 0;
}

export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest).toString('hex');
}
