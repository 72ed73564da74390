import { Assembly, sameObject } from '@whorl/protocol';
import type { ObjectHead, ObjectKind } from '@whorl/protocol';
import type { Op } from './ops.ts';

/** Objects that may be arriving at once; the oldest gives way. */
export const STAGED_MAX = 4;

/** An object as it is announced. */
export type StagedHead = ObjectHead & { readonly kind: ObjectKind };

/** Objects on their way to this terminal, by number of their transfer, oldest first. */
export class Staging {
  readonly #objects = new Map<number, Assembly>();
  readonly #kinds = new Map<Assembly, ObjectKind>();

  get size(): number {
    return this.#objects.size;
  }

  get(transfer: number): Assembly | undefined {
    return this.#objects.get(transfer);
  }

  kindOf(object: Assembly): ObjectKind {
    return this.#kinds.get(object) ?? 'users';
  }

  /** The number under which this very object is already arriving. */
  find(head: StagedHead): number | undefined {
    for (const [transfer, object] of this.#objects)
      if (sameObject(object.head, head) && this.kindOf(object) === head.kind) return transfer;
    return undefined;
  }

  /** The oldest, when there is no room for one more. */
  get inTheWay(): number | undefined {
    return this.#objects.size < STAGED_MAX ? undefined : this.#objects.keys().next().value;
  }

  /** Whether this is a chunk that belongs to an object here and has not arrived yet. */
  wants(transfer: number, index: number, data: Uint8Array): boolean {
    const object = this.#objects.get(transfer);
    if (object === undefined || object.arrived.has(index)) return false;
    const { size, chunk } = object.head;
    const left = size - index * chunk;
    return left > 0 && data.length === Math.min(chunk, left);
  }

  begin(transfer: number, { kind, size, chunk, digest }: StagedHead): void {
    this.drop(transfer);
    const object = new Assembly({ size, chunk, digest });
    this.#objects.set(transfer, object);
    this.#kinds.set(object, kind);
  }

  renumber(transfer: number, to: number): void {
    const object = this.#objects.get(transfer);
    if (object === undefined) return;
    this.drop(to);
    this.#objects.delete(transfer);
    this.#objects.set(to, object);
  }

  drop(transfer: number): void {
    const object = this.#objects.get(transfer);
    if (object !== undefined) this.#kinds.delete(object);
    this.#objects.delete(transfer);
  }

  clear(): void {
    this.#objects.clear();
    this.#kinds.clear();
  }

  /** The changes that make all this out of nothing. */
  *snapshot(): Generator<Op> {
    for (const [transfer, object] of this.#objects) {
      const { size, chunk, digest } = object.head;
      yield { name: 'staged', transfer, kind: this.kindOf(object), size, chunk, digest };
      for (let index = 0; index < object.arrived.size; index += 1)
        if (object.arrived.has(index)) yield { name: 'arrived', transfer, index, bytes: object.chunk(index) };
    }
  }
}
