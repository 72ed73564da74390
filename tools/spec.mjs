// Prints the tables of protocol/SPEC.md anew from the rows that the code runs on.
import { readFileSync, writeFileSync } from 'node:fs';
import { withTables } from '../protocol/src/spec/print.ts';

const file = new URL('../protocol/SPEC.md', import.meta.url);
writeFileSync(file, withTables(readFileSync(file, 'utf8')));
