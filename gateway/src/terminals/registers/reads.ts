import { MOST_BITS, MOST_WORDS, REGISTER_KINDS } from '@whorl/protocol';
import type { RegisterKind } from '@whorl/protocol';

/** Registers that are read together. */
export interface Read {
  readonly kind: RegisterKind;
  readonly address: number;
  readonly count: number;
}

/**
 * The fewest reads that cover these registers without touching any other: many units answer a read over a gap with an
 * exception.
 */
export function readsOf(
  registers: readonly { readonly kind: RegisterKind; readonly address: number }[],
): Read[] {
  const reads: Read[] = [];
  for (const kind of Object.keys(REGISTER_KINDS) as RegisterKind[]) {
    const most = REGISTER_KINDS[kind].bits === 1 ? MOST_BITS : MOST_WORDS;
    const addresses = new Set(registers.filter((one) => one.kind === kind).map(({ address }) => address));
    for (const address of [...addresses].sort((a, b) => a - b)) {
      const last = reads.at(-1);
      const joins = last?.kind === kind && address === last.address + last.count && last.count < most;
      if (joins) reads[reads.length - 1] = { ...last, count: last.count + 1 };
      else reads.push({ kind, address, count: 1 });
    }
  }
  return reads;
}
