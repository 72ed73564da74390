import { expect, test } from 'vitest';
import { silentLog } from '../settings/log.ts';
import { SiteStates } from './states.ts';

test('S11 how a site stood is not told of whoever has its sync id after it', async () => {
  const notes = new Map<string, string>();
  const states = new SiteStates(
    {
      note: async (key) => notes.get(key),
      saveNote: async (key, value = '') => {
        notes.set(key, value);
      },
    },
    silentLog,
  );
  const [north, west] = [
    { syncId: 2, name: 'north' },
    { syncId: 2, name: 'west' },
  ];
  states.keep(north, { online: true, success: 5 });
  expect(await states.of(north)).toEqual({ online: true, success: 5 });
  expect(await states.of(west)).toBeUndefined();
});
