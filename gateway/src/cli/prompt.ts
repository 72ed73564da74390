import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { WhorlError } from '@whorl/protocol';
import { readFile } from './files.ts';

/** Asks a person; what is typed can be seen. */
export async function question(text: string): Promise<string> {
  const screen = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await screen.question(text)).trim();
  } finally {
    screen.close();
  }
}

/**
 * A password: from a file, else typed without being shown. Never from the command line, where every user of the machine
 * could read it.
 * @param twice for a new one
 * @throws WhorlError FILE_READ, REQUEST_INVALID
 */
export async function askPassword(
  file: string | undefined,
  text: string,
  { twice = false }: { readonly twice?: boolean } = {},
): Promise<string> {
  if (file !== undefined) return firstLine(readFile(file).toString('utf8'));
  if (!process.stdin.isTTY)
    throw new WhorlError(
      'REQUEST_INVALID',
      'there is nobody to type a password; name a file with --password-file',
    );
  const password = await hidden(text);
  if (twice && (await hidden('Once more: ')) !== password)
    throw new WhorlError('REQUEST_INVALID', 'the two passwords are not the same');
  return password;
}

function firstLine(text: string): string {
  return text.split(/\r?\n/)[0] ?? '';
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
    return await screen.question('');
  } finally {
    screen.close();
    process.stderr.write('\n');
  }
}
