#!/usr/bin/env node
import process from 'node:process';
import { makeProgram } from './commands/program.ts';

// Whoever reads what is told may have had enough: `whorl-emulator events | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const program = makeProgram(
  {
    out: (text) => {
      console.log(text);
    },
    err: (text) => {
      console.error(text);
    },
    columns: process.stdout.columns,
    exitCode: (code) => {
      process.exitCode = code;
    },
  },
  (code) => process.exit(code),
);
await program.parseAsync();
