/** Hands out variable names while the source of one function grows. */
export class Names {
  #count = 0;

  next(): string {
    this.#count += 1;
    return `v${this.#count.toString()}`;
  }
}

/** A string literal. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A statement that throws when `condition` holds. */
export function unless(condition: string, code: string, path: string): string {
  return `if (${condition}) fail('${code}', ${quoted(path)});`;
}

/** An offset from `at`, as an expression. */
export function offset(bytes: number): string {
  return bytes === 0 ? 'at' : `at + ${bytes.toString()}`;
}

/** Moves `at` on by a number of bytes, or by what an expression says. */
export function advance(by: number | string): string {
  return by === 0 ? '' : `at += ${by.toString()};`;
}

/** Statements one below the other; empty ones fall away. */
export function lines(...statements: string[]): string {
  return statements.filter((statement) => statement !== '').join('\n');
}
