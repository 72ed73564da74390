import type { Recording, Said } from './recording.ts';

/** Something that was not said as it was recorded. */
export interface Deviation {
  /** Of the recording; that before it, for what was said besides. */
  readonly packet: number;
  readonly atMs: number;
  readonly line: string;
  /** 0 for all of the line. */
  readonly address: number;
  readonly from: Said['from'];
  readonly expected?: string;
  readonly got?: string;
}

export interface Compared {
  /** Messages that were said as recorded. */
  readonly same: number;
  readonly deviations: readonly Deviation[];
}

/** Compares what was said with what is recorded: by line and terminal, in its order. */
export function compared(recording: Pick<Recording, 'said'>, played: readonly Said[]): Compared {
  const deviations: Deviation[] = [];
  let same = 0;
  const laneOf = ({ line, address }: Said): string => `${line} ${address}`;
  const [expected, got] = [recording.said, played].map((all) => Map.groupBy(all, laneOf));
  for (const lane of new Set([...(expected?.keys() ?? []), ...(got?.keys() ?? [])])) {
    const rows = aligned(once(expected?.get(lane) ?? []), once(got?.get(lane) ?? []));
    same += rows.filter(([a, b]) => a !== undefined && b !== undefined).length;
    deviations.push(...deviationsOf(rows));
  }
  return { same, deviations: deviations.sort((a, b) => a.packet - b.packet || a.atMs - b.atMs) };
}

/** What was said again because nobody answered is said once. */
function once(said: readonly Said[]): Said[] {
  const major = said.filter(({ minor }) => minor !== true);
  return major.filter((one, i) => {
    const before = major[i - 1];
    return before?.from !== one.from || before.what !== one.what;
  });
}

type Row = readonly [Said | undefined, Said | undefined];

/** The longest common part of two runs, with what each has besides. */
function aligned(a: readonly Said[], b: readonly Said[]): Row[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const is = (i: number, j: number): boolean => a[i]?.from === b[j]?.from && a[i]?.what === b[j]?.what;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const [down, right, both] = [(i + 1) * width + j, i * width + j + 1, (i + 1) * width + j + 1];
      lengths[i * width + j] = is(i, j)
        ? (lengths[both] ?? 0) + 1
        : Math.max(lengths[down] ?? 0, lengths[right] ?? 0);
    }
  const rows: Row[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length)
    if (i < a.length && j < b.length && is(i, j)) rows.push([a[i++], b[j++]]);
    else if (
      j >= b.length ||
      (i < a.length && (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    )
      rows.push([a[i++], undefined]);
    else rows.push([undefined, b[j++]]);
  return rows;
}

/** What is missing and what came instead, side by side where both are the same one's. */
function deviationsOf(rows: readonly Row[]): Deviation[] {
  const found: Deviation[] = [];
  let packet = 0;
  for (const [expected, got] of rows) {
    packet = expected?.packet ?? packet;
    const one = expected ?? got;
    if (one === undefined || (expected !== undefined && got !== undefined)) continue;
    const { line, address, atMs, from } = one;
    const before = found.at(-1);
    if (got !== undefined && before?.got === undefined && before?.packet === packet && before.from === from)
      found.splice(-1, 1, { ...before, got: got.what });
    else
      found.push({
        ...{ packet, atMs, line, address, from },
        ...(expected === undefined ? {} : { expected: expected.what }),
        ...(got === undefined ? {} : { got: got.what }),
      });
  }
  return found;
}
