#!/usr/bin/env node
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { suggest } from '@whorl/device-emulator/values/suggest';
import { codeOf, describe, ERRORS, systemClock, WhorlError } from '@whorl/protocol';
import { Command } from 'commander';
import { serveConsole } from '../rig/console.ts';
import type { Ask } from '../rig/console.ts';
import { needsPerson, readRig } from '../rig/rig-file.ts';
import { showResult, showRun } from './console-report.ts';
import { html } from './html.ts';
import { junit } from './junit.ts';
import type { ReplayWords } from './replay-command.ts';
import { succeeded } from './results.ts';
import type { Run } from './results.ts';
import { suites } from './suites.ts';

const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

interface RunWords {
  readonly rig: string;
  readonly suite: readonly string[];
  readonly match?: string;
  readonly allowDestructive: boolean;
  readonly junit?: string;
  readonly html?: string;
  readonly json: boolean;
}

const program = new Command('whorl-hil')
  .description('Behaviours of the whole product, on emulated terminals and on hardware.')
  .showHelpAfterError('(--help tells how it is used)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
  });

program
  .command('run')
  .description('run behaviours on a rig, and tell what held, what failed, and what the rig could not give')
  .requiredOption('--rig <file>', 'rig file; see hil-tests/rig.example.yaml')
  .option('--suite <name...>', 'only these suites', [])
  .option('--match <text>', 'only behaviours whose title holds this')
  .option('--allow-destructive', 'also what resets terminals, clears their logs or fills their memory', false)
  .option('--junit <file>', 'write the results as JUnit XML')
  .option('--html <file>', 'write a report with what the wire said at each failure')
  .option('--json', 'print the results as JSON; progress goes to standard error', false)
  .addHelpText(
    'after',
    `
Suites:
  ${suites().join(', ')}

Examples:
  whorl-hil run --rig memory.yaml
  whorl-hil run --rig bench.yaml --suite enrolment trouble --html report.html
  whorl-hil run --rig bench.yaml --allow-destructive --junit results.xml

Exit codes:
  0 all that ran held   ${EXIT.failed} something failed, or nothing ran   ${EXIT.usage} not understood   ${EXIT.interrupted} interrupted`,
  )
  .action((words: RunWords) => guarded(() => runOn(words)));

program
  .command('replay')
  .argument('<file>', 'capture in pcapng, or a recording that --save wrote')
  .description(
    'play what a recorded line’s terminals did to a gateway, in virtual time, and tell what comes otherwise',
  )
  .option(
    '--key-log <file>',
    'keys of the recorded sessions, as `whorl-emulator start --key-log` writes them',
  )
  .option(
    '--terminals <model>',
    'play the other side: what the gateway said, to terminals of this model (name or file)',
  )
  .option('--firmware <version>', 'of these terminals; the one that the model comes with unless given')
  .option('--save <file>', 'keep it as a test: no keys in it, and pseudonyms for all that tells of people')
  .option('--json', 'print the result as JSON', false)
  .addHelpText(
    'after',
    `
Terminals are made that are what those were; people do there, and operators at the gateway, what was done when it was
done; requests and answers are lost, damaged, late and refused as on the recorded wire. Sessions are opened anew.
What only keeps lines and sessions alive is not compared.

With --terminals it is the gateway's side that is played: does this firmware answer as the recorded one did? The first
answer that is not the recorded one is told, the two side by side.

Examples:
  whorl-hil replay line.pcapng --key-log line.keys
  whorl-hil replay line.pcapng --key-log line.keys --save lost-enrolment.json
  whorl-hil replay lost-enrolment.json --json
  whorl-hil replay line.pcapng --key-log line.keys --terminals finger-10k --firmware 1.2.0

Exit codes:
  0 all came as recorded   ${EXIT.failed} something came otherwise   ${EXIT.usage} not understood`,
  )
  .action((file: string, words: ReplayWords) =>
    guarded(async () => {
      const { replayFile } = await import('./replay-command.ts');
      return (await replayFile(file, words)) ? 0 : EXIT.failed;
    }),
  );

await program.parseAsync();

async function runOn(words: RunWords): Promise<number> {
  const path = resolve(words.rig);
  const file = readRig(words.rig);
  const all = suites();
  for (const name of words.suite)
    if (!all.includes(name))
      throw new WhorlError('RIG_SUITE', `no suite is called ${name}; ${suggest(name, all)}`);
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT.interrupted);
    say(words, 'Ending what runs; once more ends at once.');
    stopping.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // Only loaded to run: what is not understood is said sooner without.
  const { run } = await import('./run.ts');
  const asking = needsPerson(file) ? await serveConsole(askHere(stopping.signal)) : undefined;
  const { place } = asking ?? {};
  const result = await run({
    ...{
      file,
      suites: words.suite.length === 0 ? all : words.suite,
      match: words.match,
      clock: systemClock,
      signal: stopping.signal,
    },
    told: {
      ...{ rig: path, consents: words.allowDestructive, begin: (systemClock.wallTime() % 60_000) / 60_000 },
      ...(place === undefined ? {} : { console: place }),
    },
    ended: (one) => {
      if (one.state !== 'left-out') say(words, showResult(one));
    },
  });
  asking?.close();
  report(words, { ...result, rig: words.rig });
  if (result.interrupted) return EXIT.interrupted;
  return succeeded(result) ? 0 : EXIT.failed;
}

/** Asks at this console, a line an answer; nobody answers any more when `signal` aborts. */
function askHere(signal: AbortSignal): Ask {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const stopped = new Promise<undefined>((resolved) => {
    signal.addEventListener('abort', () => {
      resolved(undefined);
    });
  });
  return async (what) => {
    if (signal.aborted) return undefined;
    process.stderr.write(`\n>> ${what}: `);
    const line = await Promise.race([lines.next(), stopped]);
    return line === undefined || line.done === true ? undefined : line.value;
  };
}

function report(words: RunWords, result: Run): void {
  for (const [file, text] of [
    [words.junit, junit],
    [words.html, html],
  ] as const)
    if (file !== undefined) write(file, text(result));
  process.stdout.write(words.json ? `${JSON.stringify(result)}\n` : `\n${showRun(result)}\n`);
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new WhorlError('FILE_WRITE', `${file}: ${describe(cause)}`, { cause });
  }
}

function say({ json }: RunWords, line: string): void {
  (json ? process.stderr : process.stdout).write(`${line}\n`);
}

async function guarded(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    process.stderr.write(`${describe(error)}\n  ${ERRORS[code]}\n`);
    process.exitCode = EXIT.usage;
  }
  process.exit();
}
