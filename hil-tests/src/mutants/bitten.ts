import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { MUTANTS } from './mutants.ts';

// Plays what is kept to a gateway that has the deliberate bug that it finds, and tells what it found.

const [, , path = ''] = process.argv;
// What reads all of it loads the gateway, which is to have the bug.
const { mutant: name } = z.looseObject({ mutant: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8')));
const mutant = MUTANTS.find((one) => one.name === name);
if (mutant === undefined) throw new Error(`${path} names no deliberate bug`);
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${mutant.file}`)) return loaded;
    const text = readFileSync(fileURLToPath(url), 'utf8');
    // Else what finds it would be blamed.
    if (!text.includes(mutant.from)) throw new Error(`${mutant.file} has no place for the deliberate bug`);
    return { ...loaded, source: text.replace(mutant.from, () => mutant.to) };
  },
});
const { readKept } = await import('../simulation/found/kept.ts');
const { script } = readKept(path);
const { runProgramme } = await import('../simulation/programme.ts');
const { programmeOfScript } = await import('../simulation/script.ts');
await runProgramme(programmeOfScript(script));
