import { expect, test } from 'vitest';
import { seededRandom } from '@whorl/protocol';
import { PowerLost, SimulatedDisk } from './disk.ts';
import { SimulatedFiles } from './files.ts';
import { SimulatedMachine } from './machine.ts';

function writeFile(files: SimulatedFiles, path: string, text: string): number {
  const file = files.openSync(path, 'w');
  files.writeSync(file, text, 0);
  return file;
}

/** What a file may hold after power losses that differ only by chance. */
function outcomes(prepare: (files: SimulatedFiles, disk: SimulatedDisk) => void): Set<string> {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 400; seed += 1) {
    const disk = new SimulatedDisk();
    const files = new SimulatedFiles(disk);
    prepare(files, disk);
    disk.cut();
    disk.comeBack(seededRandom(seed));
    seen.add(files.existsSync('/file') ? files.readFileSync('/file') : 'nothing');
  }
  return seen;
}

test('what was synced, with its name, is there after a power loss', () => {
  const seen = outcomes((files) => {
    const file = writeFile(files, '/file', 'new');
    files.fsyncSync(file);
    files.fsyncSync(files.openSync('/', 'r'));
  });
  expect(seen).toEqual(new Set(['new']));
});

test('without its name synced a file may be gone, and without its contents empty, torn or garbage', () => {
  const named = outcomes((files) => {
    files.fsyncSync(writeFile(files, '/file', 'new'));
  });
  expect(named).toEqual(new Set(['new', 'nothing']));
  const held = outcomes((files) => {
    writeFile(files, '/file', 'new');
    files.fsyncSync(files.openSync('/', 'r'));
  });
  for (const text of ['', 'new', 'n', '\0ew']) expect(held).toContain(text);
});

test('of writes that were not synced, each sector has its own fate', () => {
  const seen = outcomes((files, disk) => {
    const file = writeFile(files, '/file', 'a'.repeat(1024));
    disk.syncAll();
    files.writeSync(file, 'b'.repeat(1024), 0);
  });
  const [a, b] = ['a'.repeat(512), 'b'.repeat(512)];
  for (const text of [a + a, a + b, b + a, b + b]) expect(seen).toContain(text);
  expect([...seen].some((text) => /^b+a+$/.test(text) && text.indexOf('a') % 512 !== 0)).toBe(true);
});

test('a rename is whole: the old file or the new one', () => {
  const seen = outcomes((files, disk) => {
    writeFile(files, '/file', 'old');
    disk.syncAll();
    files.fsyncSync(writeFile(files, '/file.new', 'new'));
    files.renameSync('/file.new', '/file');
  });
  expect(seen).toEqual(new Set(['old', 'new']));
});

test('the power goes at a chosen operation, and nothing works until it is back', () => {
  const disk = new SimulatedDisk();
  const files = new SimulatedFiles(disk);
  disk.losePowerAfter(2);
  const file = files.openSync('/file', 'w');
  expect(() => files.writeSync(file, 'x')).toThrow(PowerLost);
  expect(() => files.existsSync('/file')).toThrow(PowerLost);
  disk.comeBack(seededRandom(1));
  expect(files.readdirSync('/')).toBeDefined();
});

test('the engine writes its log as on Unix: a frame a page, nothing to fill sectors', async () => {
  const machine = new SimulatedMachine({ seed: 1 });
  const random = seededRandom(1);
  const store = machine.open('/data', (length) => random.bytes(length));
  const size = (): number => machine.files.statSync('/data/whorl.db-wal').size;
  await store.saveNote('a', '1');
  const before = size();
  await store.saveNote('a', '2');
  expect(size() - before).toBe(24 + 4096);
  await store.close();
});
