import { CATALOGUE, compileValue } from '@whorl/protocol';
import type { Body } from '@whorl/protocol';

export type ListedTask = Body<'tasks.set'>['tasks'][number];
export type Operator = Body<'operators.set'>['operators'][number];

interface Stored<T> {
  write(items: readonly T[]): Uint8Array;
  read(bytes: Uint8Array): readonly T[];
}

/** Lists are kept in flash as they came over the wire, but whole. */
export const storedTasks: Stored<ListedTask> = stored({
  ...CATALOGUE['tasks.set'].fields.tasks,
  prefix: 2,
  max: 0xffff,
});
export const storedOperators: Stored<Operator> = stored({
  ...CATALOGUE['operators.set'].fields.operators,
  prefix: 2,
  max: 0xffff,
});

const BYTES_PER_ITEM = 128;

function stored<T>(codec: Parameters<typeof compileValue>[1]): Stored<T> {
  const compiled = compileValue<readonly T[]>('list', codec);
  return {
    write: (items) => {
      const out = new Uint8Array(2 + BYTES_PER_ITEM * items.length);
      return out.slice(0, compiled.encode(items, out, 0));
    },
    // Copied: what is decoded are views of the whole flash.
    read: (bytes) => compiled.decode(bytes.slice(), 0, bytes.length),
  };
}
