/**
 * Text on a terminal of so many columns. A line that is longer is broken between words, and goes on below the last of
 * its columns (two blanks stand before each) that begins in the left half, or below its beginning. A word is never
 * broken.
 * @param columns `undefined` where nothing is known of them: a file, a pipe
 */
export function fitted(text: string, columns: number | undefined): string {
  if (columns === undefined || columns <= 0) return text;
  return text
    .split('\n')
    .flatMap((line) => broken(line, columns))
    .join('\n');
}

function broken(line: string, columns: number): string[] {
  const indent = ' '.repeat(hangOf(line, columns / 2));
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const before = rest.lastIndexOf(' ', columns);
    const at = before > indent.length ? before : rest.indexOf(' ', Math.max(columns, indent.length));
    if (at < 0 || rest.slice(0, at).trim() === '') break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** Where the last column begins that begins before `most`. */
function hangOf(line: string, most: number): number {
  const starts = [...line.matchAll(/(?<=^| {2})\S/g)].map(({ index }) => index);
  return starts.findLast((start) => start <= most) ?? 0;
}
