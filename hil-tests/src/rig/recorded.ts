import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { logKeysTo, recordTo } from '@whorl/device-emulator';
import type { Recording } from '@whorl/device-emulator';
import { ALL, allOnline, verifiedOn } from './behaviour.ts';
import { memoryRig } from './memory.ts';
import { SMALL_SITE } from './rig.ts';
import { scratchFolder } from './scratch.ts';

/** What a site said, in files that {@link Recorded.remove} removes. */
export interface Recorded {
  readonly folder: string;
  readonly capture: string;
  readonly keys: string;
  /** A piece of a template that crossed the line. */
  readonly template: Uint8Array;
  remove(): void;
}

const USER = 1042;

/** A small site from its first word on: sessions are opened, a terminal is paired, a user goes everywhere. */
export async function recordedSite(): Promise<Recorded> {
  const folder = scratchFolder('whorl-recorded');
  const [capture, keys] = [join(folder, 'site.pcapng'), join(folder, 'site.keys')];
  let recording: Recording | undefined;
  const tellKeys = logKeysTo(keys, fail);
  const rig = await memoryRig(SMALL_SITE, {
    tellKeys,
    tap: (clock) => {
      recording = recordTo(capture, clock, fail);
      return recording.line;
    },
  });
  try {
    await allOnline(rig);
    const terminal = rig.terminal('terminal-2');
    const pairing = rig.gateway.operations.pair('terminal-2', {
      code: terminal.pair(),
      replace: false,
    });
    await rig.until('paired', () => terminal.pairing.kind === 'paired');
    await rig.until('the pairing’s answer', settled(pairing));
    await allOnline(rig);
    rig.terminal('terminal-1').enrol({ user: USER, name: 'Augusta', groups: [1], fingers: 2 });
    await verifiedOn(rig, USER, ALL);
    const template = rig.terminal('terminal-1').record(USER)?.fields.get(0x40)?.slice(8, 24);
    if (template === undefined) throw new Error('nobody was enrolled');
    return { folder, capture, keys, template, remove: () => rmSync(folder, { recursive: true }) };
  } finally {
    await rig.close();
    recording?.end();
  }
}

function settled(work: Promise<unknown>): () => boolean {
  let over = false;
  void work.finally(() => {
    over = true;
  });
  return () => over;
}

function fail(reason: string): never {
  throw new Error(reason);
}
