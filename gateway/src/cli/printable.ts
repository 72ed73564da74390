/**
 * What people and terminals call things may hold anything: what would drive the console that shows it (escapes, other
 * control characters, marks that turn the direction of writing) is shown as its number.
 */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu,
    (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
