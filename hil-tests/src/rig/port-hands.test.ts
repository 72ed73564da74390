import process from 'node:process';
import { expect, test } from 'vitest';
import { switchOf } from './port-hands.ts';

const WORDS = { of: 'the power', person: ['off', 'on'], emulator: ['/off', '/on'] } as const;

test.each([
  [
    'says why',
    [process.execPath, '-e', 'console.error("relay 3 is stuck"); process.exit(1)'],
    /: relay 3 is stuck$/,
  ],
  ['says nothing', [process.execPath, '-e', 'process.exit(3)'], /: ended with code 3$/],
  ['is not there', ['whorl-no-such-relay', 'off'], /^whorl-no-such-relay off: no such file or folder$/],
])('E8 of a relay whose command fails and %s it is told what is known', async (_what, command, told) => {
  const { off } = switchOf({ off: command, on: command }, undefined, WORDS);
  await expect(off()).rejects.toThrow(told);
});
