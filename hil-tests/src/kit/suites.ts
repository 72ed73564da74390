import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../suites');
const ENDING = '.test.ts';

/** What `whorl-hil` runs: files of `suites` that have behaviours, by name. */
export function suites(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(ENDING) && hasBehaviours(join(FOLDER, file)))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
}

export function suitePath(name: string): string {
  return join(FOLDER, `${name}${ENDING}`);
}

function hasBehaviours(path: string): boolean {
  return /^ *(behaviour|everywhere)\(/m.test(readFileSync(path, 'utf8'));
}
