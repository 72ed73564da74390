import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { scriptSchema } from '../script.ts';
import type { Script } from '../script.ts';

const HERE = new URL('./', import.meta.url);

/** What the simulation found once, so that it stays found. */
const keptSchema = z.strictObject({
  /** What was wrong, in a sentence. */
  found: z.string(),
  /** The deliberate bug that makes it wrong again, where there is one. */
  mutant: z.string().exactOptional(),
  script: scriptSchema,
});
export type Kept = z.infer<typeof keptSchema>;

export function readKept(path: string | URL): Kept {
  return keptSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** All that is kept, by the name of its file. */
export function allKept(): readonly (Kept & { readonly path: string })[] {
  return readdirSync(HERE)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ path: fileURLToPath(new URL(name, HERE)), ...readKept(new URL(name, HERE)) }));
}

/** @param path where it is kept from now on */
export function keep(
  path: string,
  kept: { readonly found: string; readonly mutant: string; readonly script: Script },
): void {
  writeFileSync(path, `${JSON.stringify(kept, undefined, 2)}\n`);
}
