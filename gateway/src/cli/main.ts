#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Reading the sources is most of what a start takes. Beside them, as what lies there is run: who may write there may
// write the sources, too. Where nobody may, the start takes longer.
enableCompileCache({ directory: fileURLToPath(new URL('../../.cache', import.meta.url)), portable: true });
const { makeProgram } = await import('./program.ts');
await makeProgram().parseAsync();
