import { pipeline, Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { ReportLine } from '../sites/reports.ts';

export type ReportFormat = 'csv' | 'json';

/** Spreadsheets take cells that begin so for formulas. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * Writes a report as it is read, no faster than it is taken. Whoever gets one that failed on the way sees the connection
 * cut, and not a shorter report.
 */
export function sendReport(
  reply: FastifyReply,
  it: {
    readonly columns: readonly string[];
    readonly pages: AsyncIterable<readonly ReportLine[]>;
    readonly format: ReportFormat;
    readonly onFailure: (error: unknown) => void;
  },
): void {
  const { columns, pages, format, onFailure } = it;
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json',
    'cache-control': 'no-store',
  });
  pipeline(reportText(format, columns, pages), reply.raw, (error) => {
    if (error instanceof Error && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') onFailure(error);
  });
}

/** A report as text. */
export function reportText(
  format: ReportFormat,
  columns: readonly string[],
  pages: AsyncIterable<readonly ReportLine[]>,
): Readable {
  const text = format === 'csv' ? csvText(columns, pages) : jsonText(pages);
  return Readable.from(text, { objectMode: false });
}

/** RFC 4180, in UTF-8. */
async function* csvText(
  columns: readonly string[],
  pages: AsyncIterable<readonly ReportLine[]>,
): AsyncGenerator<string> {
  yield `${columns.join(',')}\r\n`;
  for await (const page of pages)
    yield page.map((line) => `${columns.map((column) => cell(line[column] ?? '')).join(',')}\r\n`).join('');
}

function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

async function* jsonText(pages: AsyncIterable<readonly ReportLine[]>): AsyncGenerator<string> {
  let before = '[';
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield `${before}\n${page.map((line) => JSON.stringify(line)).join(',\n')}`;
    before = ',';
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}
