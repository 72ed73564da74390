import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, WhorlError } from '@whorl/protocol';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { suggest } from '../values/nearest.ts';
import { fleetSchema } from './schema.ts';
import type { FleetConfig } from './schema.ts';

/**
 * Reads a fleet file; its paths count from the folder that it is in.
 * @throws WhorlError FLEET_FILE naming every place that is wrong, as `file:line key.path: what`
 */
export function readFleet(path: string): FleetConfig {
  const config = parseFleet(path, textOf(path));
  const from = (relative: string): string => resolve(dirname(path), relative);
  return {
    ...config,
    data: config.data === undefined ? undefined : from(config.data),
    lines: config.lines.map((line) =>
      line.pty === undefined ? line : { ...line, pty: { link: from(line.pty.link) } },
    ),
    modbus: config.modbus.map((bus) =>
      bus.pty === undefined ? bus : { ...bus, pty: { link: from(bus.pty.link) } },
    ),
  };
}

/** Checks the text of a fleet file. @throws WhorlError FLEET_FILE as {@link readFleet} */
export function parseFleet(path: string, text: string): FleetConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) throw broken(document.errors.map((error) => `${path}: ${error.message}`));
  const parsed = fleetSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const place = (keys: readonly PropertyKey[]): string => {
    const line = lineOf(document, lines, keys);
    return `${path}${line === undefined ? '' : `:${line}`} ${keys.join('.')}`.trimEnd();
  };
  throw broken(parsed.error.issues.flatMap((issue) => problems(issue, place)));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WhorlError('FLEET_FILE', `${path}: ${describe(cause)}`, { cause });
  }
}

function broken(found: readonly string[]): WhorlError {
  return new WhorlError('FLEET_FILE', found.join('\n'));
}

function problems(issue: z.core.$ZodIssue, place: (keys: readonly PropertyKey[]) => string): string[] {
  // Of the ways that a value may be written, the one that got furthest tells most.
  if (issue.code === 'invalid_union') {
    const best = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
    if (best !== undefined && depth(best) > 0)
      return best.flatMap((inner) => problems({ ...inner, path: [...issue.path, ...inner.path] }, place));
  }
  if (issue.code !== 'unrecognized_keys') return [`${place(issue.path)}: ${issue.message}`];
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => `${place([...issue.path, key])}: unknown key; ${suggest(key, known)}`);
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(
    0,
    ...issues.map((issue) => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)),
  );
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Keys that the schema has at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: JsonSchema | undefined = fleetSchema.toJSONSchema({ io: 'input' }) as JsonSchema;
  for (const key of path) {
    schema = typeof key === 'number' ? schema?.items : schema?.properties?.[String(key)];
    schema = schema?.anyOf?.find((one) => one.properties !== undefined) ?? schema;
  }
  return Object.keys(schema?.properties ?? {});
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
