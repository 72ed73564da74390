import { readFileSync } from 'node:fs';
import { reasonOf, WhorlError, wording } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import { suggest } from './suggest.ts';

/** What a kind of file is checked by. */
export interface FileKind<T> {
  readonly schema: z.ZodType<T>;
  /** What is thrown for one that is wrong. */
  readonly code: ErrorCode;
}

/** @throws WhorlError as {@link parseYaml} */
export function readYaml<T>(kind: FileKind<T>, path: string): T {
  return parseYaml(kind, path, textOf(kind.code, path));
}

/**
 * Checks the text of a file in YAML.
 * @throws WhorlError with the code of its kind, naming every place that is wrong, as `file:line key.path: what`
 */
export function parseYaml<T>({ schema, code }: FileKind<T>, path: string, text: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0)
    throw new WhorlError(code, document.errors.map((error) => `${path}: ${error.message}`).join('\n'));
  if (document.contents === null) throw new WhorlError(code, `${path}: there is nothing in it`);
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const place = (keys: readonly PropertyKey[]): string => {
    const line = lineOf(document, lines, keys);
    return `${path}${line === undefined ? '' : `:${line}`} ${keys.join('.')}`.trimEnd();
  };
  const known = (keys: readonly PropertyKey[]): string[] => knownKeys(schema, keys);
  throw new WhorlError(
    code,
    parsed.error.issues.flatMap((issue) => problems(issue, place, known)).join('\n'),
  );
}

function textOf(code: ErrorCode, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WhorlError(code, `${path}: ${reasonOf(cause)}`, { cause });
  }
}

function problems(
  issue: z.core.$ZodIssue,
  place: (keys: readonly PropertyKey[]) => string,
  known: (keys: readonly PropertyKey[]) => readonly string[],
): string[] {
  // Of the ways that a value may be written, the one that got furthest, with least to mend, tells most.
  if (issue.code === 'invalid_union') {
    const strange = (issues: readonly z.core.$ZodIssue[]): number => issues.filter(isStrange).length;
    const best = issue.errors.toSorted(
      (a, b) => depth(b) - depth(a) || faults(a) - faults(b) || strange(a) - strange(b),
    )[0];
    if (best !== undefined && depth(best) > 0)
      return best.flatMap((inner) =>
        problems({ ...inner, path: [...issue.path, ...inner.path] }, place, known),
      );
  }
  if (!isStrange(issue)) return [`${place(issue.path)}: ${said(issue)}`];
  const keys = known(issue.path);
  return issue.keys.map((key) => {
    const what = keys.includes(key)
      ? 'does not go with what else is there'
      : `unknown key; ${suggest(key, keys)}`;
    return `${place([...issue.path, key])}: ${what}`;
  });
}

function isStrange(issue: z.core.$ZodIssue): issue is z.core.$ZodIssueUnrecognizedKeys {
  return issue.code === 'unrecognized_keys';
}

/** What is wrong with a value; of one that may be written in several ways, all of them. */
function said(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return wording(issue);
  const ways = issue.errors.flatMap(([first]) => /expected ([^,]+)/.exec(first?.message ?? '')?.[1] ?? []);
  return `expected ${[...new Set(ways)].join(' or ')}`;
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(
    0,
    ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)),
  );
}

function faults(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, one) => sum + (one.code === 'unrecognized_keys' ? one.keys.length : 1), 0);
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Keys that the schema has at a path. */
function knownKeys(whole: z.ZodType, path: readonly PropertyKey[]): string[] {
  let schema: JsonSchema | undefined = z.toJSONSchema(whole, { io: 'input' }) as JsonSchema;
  for (const key of path)
    schema = waysOf(schema)
      .map((one) => (typeof key === 'number' ? one.items : one.properties?.[String(key)]))
      .find((one) => one !== undefined);
  return [...new Set(waysOf(schema).flatMap(({ properties = {} }) => Object.keys(properties)))];
}

function waysOf(schema: JsonSchema | undefined): readonly JsonSchema[] {
  return schema === undefined ? [] : (schema.anyOf ?? [schema]);
}

/** Line of what stands at a path, or of the nearest that encloses it. */
function lineOf(document: Document, lines: LineCounter, keys: readonly PropertyKey[]): number | undefined {
  for (let length = keys.length; length >= 0; length -= 1) {
    const node = document.getIn(keys.slice(0, length), true);
    const start = isNode(node) ? node.range?.[0] : undefined;
    if (start !== undefined) return lines.linePos(start).line;
  }
  return undefined;
}
