import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { WhorlError } from '@whorl/protocol';
import { readFile } from './files.ts';

/** Asks a person; what is typed can be seen. */
export async function question(text: string): Promise<string> {
  const screen = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await typed(screen, text)).trim();
  } finally {
    screen.close();
  }
}

const STANDARD_INPUT = 0;

/**
 * A password: from a file (`-` is the standard input), else typed without being shown. Never from the command line, where every user of the machine
 * could read it.
 * @param twice for a new one; option names the file
 * @throws WhorlError FILE_READ, GIVEN_UP, REQUEST_INVALID
 */
export async function askPassword(
  file: string | undefined,
  text: string,
  { twice = false, option = '--password-file' }: { readonly twice?: boolean; readonly option?: string } = {},
): Promise<string> {
  if (file === '-') return firstLine(readFileSync(STANDARD_INPUT, 'utf8'));
  if (file !== undefined) return firstLine(readFile(file).toString('utf8'));
  if (!process.stdin.isTTY)
    throw new WhorlError('REQUEST_INVALID', `there is nobody to type it; name a file with ${option}`);
  const password = await hidden(text);
  if (twice && (await hidden('Once more: ')) !== password)
    throw new WhorlError('REQUEST_INVALID', 'the two are not the same');
  return password;
}

function firstLine(text: string): string {
  return text.split(/\r?\n/)[0] ?? '';
}

/** @throws WhorlError GIVEN_UP for Ctrl-C and Ctrl-D */
async function typed(screen: Interface, text: string): Promise<string> {
  try {
    return await screen.question(text);
  } catch (cause) {
    if (!(cause instanceof Error && cause.name === 'AbortError')) throw cause;
    throw new WhorlError('GIVEN_UP', 'nothing was typed', { cause });
  }
}

async function hidden(text: string): Promise<string> {
  process.stderr.write(text);
  const nowhere = new Writable({
    write(_piece, _encoding, done) {
      done();
    },
  });
  const screen = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await typed(screen, '');
  } finally {
    screen.close();
    process.stderr.write('\n');
  }
}
