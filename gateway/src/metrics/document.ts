import { HISTOGRAMS, STORE_ERRORS } from './histograms.ts';
import { METRICS } from './rows.ts';

/** Every metric's name, also those that a histogram has. */
export function metricNames(): string[] {
  const histograms = Object.values(HISTOGRAMS).flatMap(({ name }) =>
    ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`),
  );
  return [...METRICS.map(({ name }) => name), ...histograms, STORE_ERRORS.name];
}

/** METRICS.md with the table between its markers printed anew from the rows. */
export function withTables(text: string): string {
  const rows = [
    ...METRICS,
    ...Object.values(HISTOGRAMS).map((one) => ({ ...one, type: 'histogram' })),
    { ...STORE_ERRORS, type: 'counter' },
  ].map(({ name, type, labels, doc }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', ') || '–',
    doc,
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const heads = ['metric', 'type', 'labels', 'meaning'];
  const table = [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
  return text.replace(
    /<!-- rows: metrics -->[\s\S]*?<!-- end -->/,
    () => `<!-- rows: metrics -->\n\n${table}\n\n<!-- end -->`,
  );
}
