import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@whorl/gateway';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

test(
  'npm start shows a finger reach all six terminals, and the ledger keeps it',
  { timeout: 60_000 },
  async () => {
    const data = mkdtempSync(join(tmpdir(), 'whorl-start-'));
    onTestFinished(() => {
      rmSync(data, { recursive: true, force: true });
    });
    const { code, text } = await run(['hil-tests/src/demo/main.ts', '--once', '--data', data]);
    expect(text).toMatch(/From the finger to verified on all six terminals: \d+ ms; digests equal/);
    expect(text).toMatch(/terminal-6 shows \d{6}; at the gateway: whorl pair terminal-6/);
    expect(code).toBe(0);
    const store = openStore({ data });
    const rows = await store.ledger({ user: 1042, limit: 10 });
    await store.close();
    expect(rows.map((row) => row.state)).toEqual(Array.from({ length: 6 }, () => 'verified'));
  },
);

function run(args: readonly string[]): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (piece: Buffer) => {
        text += piece.toString();
      });
    }
    child.once('exit', (code) => {
      resolve({ code, text });
    });
  });
}
