import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { certified } from '../mqtt/testing/certified.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const YEAR_MS = 365 * 86_400_000;

/** What `whorl login` says of a gateway whose certificate, of an authority that is trusted, is good at another time. */
async function loginAt(ahead: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-transport-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = certified(folder, 'localhost', ahead);
  const server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const password = join(folder, 'password');
  writeFileSync(password, 'correct horse battery\n');
  const words = ['login', '--url', `https://localhost:${port}`, '--name', 'ada', '--password-file', password];
  const env = { ...process.env, WHORL_LOGINS: join(folder, 'logins.json'), NODE_EXTRA_CA_CERTS: files.cert };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...words], { env }, (_error, _out, err) => resolve(err));
  });
}

test.each([
  ['began in 1970', 10 * YEAR_MS],
  ['says 2099', -10 * YEAR_MS],
])(
  'G6 who logs in from a machine whose clock %s is told of the clock',
  { timeout: 60_000 },
  async (_, ahead) => {
    const today = new Date(systemClock.wallTime()).toISOString().slice(0, 10);
    expect(await loginAt(ahead)).toContain(
      `shows a certificate that nobody vouches for, by this machine’s clock, which shows ${today}`,
    );
  },
);
