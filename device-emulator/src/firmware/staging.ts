import { Assembly, sameObject } from '@whorl/protocol';
import type { ObjectHead } from '@whorl/protocol';
import type { Op } from './ops.ts';

/** Objects that may be arriving at once; the oldest gives way. */
export const STAGED_MAX = 4;

/** Objects on their way to this terminal, by number of their transfer, oldest first. */
export class Staging {
  readonly #objects = new Map<number, Assembly>();

  get(transfer: number): Assembly | undefined {
    return this.#objects.get(transfer);
  }

  /** The number under which this very object is already arriving. */
  find(head: ObjectHead): number | undefined {
    for (const [transfer, object] of this.#objects) if (sameObject(object.head, head)) return transfer;
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

  begin(transfer: number, head: ObjectHead): void {
    this.#objects.delete(transfer);
    this.#objects.set(transfer, new Assembly(head));
  }

  renumber(transfer: number, to: number): void {
    const object = this.#objects.get(transfer);
    if (object === undefined) return;
    this.#objects.delete(transfer);
    this.#objects.delete(to);
    this.#objects.set(to, object);
  }

  drop(transfer: number): void {
    this.#objects.delete(transfer);
  }

  clear(): void {
    this.#objects.clear();
  }

  /** The changes that make all this out of nothing. */
  *snapshot(): Generator<Op> {
    for (const [transfer, object] of this.#objects) {
      const { size, chunk, digest } = object.head;
      yield { name: 'staged', transfer, size, chunk, digest };
      for (let index = 0; index < object.arrived.size; index += 1)
        if (object.arrived.has(index)) yield { name: 'arrived', transfer, index, bytes: object.chunk(index) };
    }
  }
}
