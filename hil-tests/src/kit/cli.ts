#!/usr/bin/env node
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { suggest } from '@whorl/device-emulator/values/suggest';
import { codeOf, describe, ERRORS, fitted, systemClock, WhorlError } from '@whorl/protocol';
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
  readonly suite?: readonly string[];
  readonly match?: string;
  readonly allowDestructive?: true;
  readonly junit?: string;
  readonly html?: string;
  readonly json?: true;
}

// Whoever reads what is told may have had enough: reports and exit code still tell how it ended.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const program = new Command('whorl-hil')
  .description('Behaviours of the whole product, on emulated terminals and on hardware.')
  .option('--json', 'print the results as JSON')
  .enablePositionalOptions()
  .hook('preAction', (whole, command) => {
    if (whole.opts()['json'] === true) command.setOptionValue('json', true);
  })
  .configureOutput({
    writeOut: (text) => void process.stdout.write(fitted(text, process.stdout.columns)),
    writeErr: (text) => void process.stderr.write(fitted(text, process.stderr.columns)),
  })
  .addHelpText(
    'after',
    `
Examples:
  whorl-hil run --rig hil-tests/examples/memory.yaml --suite enrolment trouble
  whorl-hil run --rig bench.yaml --html report.html --junit results.xml
  whorl-hil replay line.pcapng --key-log line.keys

Exit codes:
  0 all held   ${EXIT.failed} something did not   ${EXIT.usage} not understood   ${EXIT.interrupted} interrupted`,
  )
  .showHelpAfterError('(--help tells how it is used)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : EXIT.usage);
  });

program
  .command('run')
  .description('run behaviours on a rig, and tell what held, what failed, and what the rig could not give')
  .requiredOption('--rig <file>', 'rig file; see hil-tests/rig.example.yaml')
  .option('--suite <name...>', 'only these suites')
  .option('--match <text>', 'only behaviours whose title holds this')
  .option('--allow-destructive', 'also what resets terminals, clears their logs or fills their memory')
  .option('--junit <file>', 'write the results as JUnit XML')
  .option('--html <file>', 'write a report with what the wire said at each failure')
  .option('--json', 'print the results as JSON; progress goes to standard error')
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
  0 all that ran held   ${EXIT.failed} something failed, nothing ran, or a report could not be written
  ${EXIT.usage} not understood   ${EXIT.interrupted} interrupted`,
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
  .option('--json', 'print the result as JSON')
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
  0 all came as recorded   ${EXIT.failed} something came otherwise, or the capture is damaged: what stands before is played
  ${EXIT.usage} not understood`,
  )
  .action((file: string, words: ReplayWords) =>
    guarded(async () => {
      if (words.firmware !== undefined && words.terminals === undefined)
        program.error('error: --firmware says which of a model’s: name the model by --terminals');
      const { replayFile } = await import('./replay-command.ts');
      return (await replayFile(file, words)) ? 0 : EXIT.failed;
    }),
  );

await program.parseAsync();

async function runOn(words: RunWords): Promise<number> {
  const path = resolve(words.rig);
  const file = readRig(words.rig);
  const all = suites();
  for (const name of words.suite ?? [])
    if (!all.includes(name))
      throw new WhorlError('RIG_SUITE', `no suite is called ${name}; ${suggest(name, all)}`);
  // Whatever ends this process, the reports say that the run had not ended; and where none can be written is said now.
  const begun = { began: new Date(systemClock.wallTime()).toISOString(), ms: 0, results: [], errors: [] };
  for (const [file, text] of reports(words, { ...begun, rig: words.rig, interrupted: true }))
    if (isPlain(file)) write(file, text);
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
      suites: words.suite ?? all,
      match: words.match,
      clock: systemClock,
      signal: stopping.signal,
    },
    told: {
      ...{
        rig: path,
        consents: words.allowDestructive ?? false,
        begin: (systemClock.wallTime() % 60_000) / 60_000,
      },
      ...(place === undefined ? {} : { console: place }),
    },
    ended: (one) => {
      if (one.state !== 'left-out') say(words, showResult(one));
    },
    gone: (why) => {
      say(words, why);
    },
  });
  asking?.close();
  const isReported = report(words, { ...result, rig: words.rig });
  if (result.interrupted) return EXIT.interrupted;
  return succeeded(result) && isReported ? 0 : EXIT.failed;
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

/** Tells a run here, and in its files. @returns whether all files could be written */
function report(words: RunWords, result: Run): boolean {
  const shown = (): string => fitted(`\n${showRun(result)}`, process.stdout.columns);
  process.stdout.write(`${words.json ? JSON.stringify(result) : shown()}\n`);
  const written = reports(words, result).map(([file, text]) => {
    try {
      write(file, text);
      return true;
    } catch (error) {
      tell(error);
      return false;
    }
  });
  return written.every(Boolean);
}

/** Files, each with what goes into it. */
function reports({ junit: xml, html: page }: RunWords, result: Run): [string, string][] {
  return [
    ...(xml === undefined ? [] : [[xml, junit(result)] satisfies [string, string]]),
    ...(page === undefined ? [] : [[page, html(result)] satisfies [string, string]]),
  ];
}

function write(file: string, text: string): void {
  try {
    const place = isPlain(file) ? `${file}.new` : file;
    writeFileSync(place, text);
    if (place !== file) renameSync(place, file);
  } catch (cause) {
    throw new WhorlError('FILE_WRITE', `${file}: ${describe(cause)}`, { cause });
  }
}

/** Whether it is a file, or nothing yet; no device or pipe, which is written as it stands. */
function isPlain(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
}

function say({ json }: RunWords, line: string): void {
  const to = json ? process.stderr : process.stdout;
  to.write(`${fitted(line, to.columns)}\n`);
}

async function guarded(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    tell(error);
    process.exitCode = EXIT.usage;
  }
  process.exit();
}

/** What went wrong, and what to do about it. */
function tell(error: unknown): void {
  const code = codeOf(error);
  const remedy = code === undefined ? '' : `\n  ${ERRORS[code]}`;
  process.stderr.write(`${fitted(`${describe(error)}${remedy}`, process.stderr.columns)}\n`);
}
