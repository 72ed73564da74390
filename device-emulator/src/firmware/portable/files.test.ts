import { digestOf, seededRandom } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { portableBench, sendPart } from '../../testing/portable.ts';

const file = seededRandom(3).bytes(2_500);
const head = { name: 'north.png', kind: 'floor-plan', size: file.length, digest: digestOf(file) } as const;

describe('files', () => {
  test('P11 P12 a file arrives in parts, goes on after a power cut, and is complete when its digest fits', async () => {
    const { terminal, asker, clock } = portableBench();
    expect(asker.get('file.open', head, 'file.state')).toEqual({ stored: 0 });
    expect(sendPart(asker, file, 0, 1_000)).toMatchObject({ name: 'transfer.committed' });
    terminal.reboot();
    await clock.run({ forMs: 2_000 });
    asker.hello();
    expect(asker.get('file.open', head, 'file.state')).toEqual({ stored: 1_000 });
    expect(sendPart(asker, file, 0, 1_000)).toMatchObject({ name: 'transfer.committed' });
    expect(sendPart(asker, file, 1_500, 2_000)).toMatchObject({ body: { reason: 'malformed' } });
    expect(sendPart(asker, file, 1_000, 2_500)).toMatchObject({ name: 'transfer.committed' });
    expect(terminal.display.files).toEqual([
      { name: 'north.png', kind: 'floor-plan', size: 2_500, stored: 2_500 },
    ]);
  });

  test('P11 a damaged file is dropped, and the one of before stays until the new one is whole', () => {
    const { terminal, asker } = portableBench();
    asker.get('file.open', head, 'file.state');
    sendPart(asker, file, 0, 2_500);
    const newer = seededRandom(4).bytes(300);
    asker.get('file.open', { ...head, size: 300, digest: digestOf(newer) }, 'file.state');
    expect(terminal.display.files.map(({ stored }) => stored)).toEqual([2_500, 0]);
    sendPart(asker, newer, 0, 300);
    expect(terminal.display.files.map(({ size }) => size)).toEqual([300]);
    const other = digestOf(file);
    asker.get('file.open', { ...head, name: 'b', size: 300, digest: other }, 'file.state');
    const wrong = seededRandom(5).bytes(300);
    const object = new Uint8Array(320);
    object.set(other);
    object.set(wrong, 20);
    const begun = { transfer: 7, kind: 'file', size: 320, chunk: 320, digest: digestOf(object) } as const;
    asker.get('transfer.begin', begun, 'transfer.state');
    asker.all('chunk', { transfer: 7, index: 0, data: object });
    expect(asker.ask('transfer.commit', { transfer: 7, digest: begun.digest, after: 0 })).toMatchObject({
      body: { reason: 'corrupt' },
    });
    expect(terminal.display.files.map(({ name }) => name)).toEqual(['north.png']);
  });

  test('P11 files that the task does not name are removed', () => {
    const { asker } = portableBench();
    for (const name of ['b', 'a']) {
      const own = Buffer.from(`contents of ${name}`);
      asker.get('file.open', { name, kind: 'photo', size: own.length, digest: digestOf(own) }, 'file.state');
      sendPart(asker, own, 0, own.length);
    }
    const names = (after: string): string[] =>
      asker.get('files.read', { after }, 'files.page').files.map(({ name }) => name);
    expect(names('')).toEqual(['a', 'b']);
    expect(names('a')).toEqual(['b']);
    asker.get('files.remove', { name: 'a' }, 'files.removed');
    expect(names('')).toEqual(['b']);
  });
});
