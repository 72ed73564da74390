import { showField } from '@whorl/protocol';
import type { Capabilities } from '@whorl/protocol';
import type { SentAnswer, SentKey } from '../store/tasks.ts';
import { mergePulled } from '../sync/pulled.ts';
import type { Decided } from '../sync/pulled.ts';
import type { Site } from '../sync/site.ts';
import type { TerminalDriver } from '../terminals/driver.ts';
import type { JournalAnswer, JournalEntry, PortableDriver } from '../terminals/portable.ts';

/** Answered together: an interruption costs few that are asked again, and answered from memory. */
const ANSWERS_AT_ONCE = 16;

/** What the sending of a session works with. */
export interface Sending {
  readonly site: Site;
  readonly driver: TerminalDriver;
  readonly portable: PortableDriver;
  readonly capabilities: Capabilities;
  readonly serial: string;
  readonly task: number;
  /** Id of the session. */
  readonly sync: number;
  /** Told of each that was answered, with the bytes that came for it. */
  readonly answered: (answer: SentAnswer, bytes: number) => void;
  readonly total: (entries: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Brings what was changed at a portable terminal to the gateway: each change is merged as any terminal's are, under the
 * policies, in one transaction with its answer. Sent again, it is answered from memory and not merged twice.
 * @throws WhorlError STORE_*, and as the driver does
 */
export async function sendChanges(it: Sending): Promise<void> {
  const { epoch, entries } = await it.portable.journal(0, it.signal);
  it.total(entries.length);
  if (entries.length === 0) return;
  const { tasks } = it.site.store;
  const seqs = entries.map(({ seq }) => seq);
  await tasks.keepSent(it.serial, epoch, seqs);
  let answers: JournalAnswer[] = [];
  for (const [index, entry] of entries.entries()) {
    const key = { serial: it.serial, epoch, seq: entry.seq };
    const { bytes, ...answer } = await answerTo(it, entry, key);
    answers.push({ ...answer, seq: entry.seq });
    it.answered(answer, bytes);
    if (answers.length < ANSWERS_AT_ONCE && index + 1 < entries.length) continue;
    await it.portable.settle(answers, it.signal);
    answers = [];
  }
}

async function answerTo(
  it: Sending,
  entry: JournalEntry,
  key: SentKey,
): Promise<SentAnswer & { readonly bytes: number }> {
  const { tasks } = it.site.store;
  const before = await tasks.sent(key);
  if (before !== undefined) return { ...before, bytes: 0 };
  if (entry.what === 'deleted')
    return refuse(
      it,
      entry,
      key,
      'Users are deleted at the gateway; the next download brings this one back.',
    );
  const held = await it.site.store.user(entry.user);
  const { value, bytes } = await it.driver.pull(entry.user, held?.record, it.signal, {
    get: () => it.site.store.partials.get(it.driver.name),
    put: (kept) => it.site.store.partials.put(it.driver.name, kept),
  });
  if (value === undefined) return refuse(it, entry, key, 'The user is not at the terminal any more.');
  const arrived = {
    ...{ user: entry.user, terminal: it.driver.name, log: 0, changed: entry.at },
    brought: {
      ...{ task: it.task, operator: entry.operator },
      sent: (decided: Decided) => ({ ...key, answer: answerOf(decided) }),
    },
  };
  const decided = await mergePulled(it.site, arrived, value, it.capabilities);
  // What is stored stands: the user may have been erased meanwhile.
  return { ...((await tasks.sent(key)) ?? answerOf(decided)), bytes };
}

function answerOf({ merged, reasons }: Decided): SentAnswer {
  const shown = (fields: readonly number[]): string => fields.map(showField).join(', ');
  if (merged === undefined)
    return { result: 'conflict', reason: `Another person has this number: ${shown(reasons)}.` };
  if (merged.conflicts.length > 0)
    return { result: 'conflict', reason: `The gateway has other values: ${shown(merged.conflicts)}.` };
  return { result: 'merged', reason: '' };
}

async function refuse(
  { site, driver, sync }: Sending,
  { user, seq }: JournalEntry,
  key: SentKey,
  reason: string,
): Promise<SentAnswer & { readonly bytes: number }> {
  const answer = { result: 'refused', reason } as const;
  await site.store.tasks.saveSent({ ...key, answer });
  await site.tell({
    ...{ type: 'sync.change.refused', time: site.now, terminal: driver.name, user, origin: 'terminal' },
    data: { sync, seq, reason },
    source: `${key.serial}/journal ${key.epoch}/${key.seq}`,
  });
  return { ...answer, bytes: 0 };
}
