import type { Message } from '@whorl/protocol';

/**
 * What a message says, without what is another in every session: numbers of transfers, keys, times. Equal words mean
 * that the same was said.
 * @returns `undefined` for what only keeps sessions and lines alive, and for pieces of objects, of which their
 * announcement and commit tell
 */
export function whatOf(message: Message): string | undefined {
  switch (message.name) {
    case 'hello':
    case 'welcome':
    case 'clock.set':
    case 'clock.was':
    case 'users.removed':
    case 'sketch.page':
      return message.name;
    case 'logs.read':
      return `logs.read after ${message.body.after}`;
    case 'logs.page':
      return message.body.records.length === 0
        ? undefined
        : `logs.page ${idsOf(message.body.records.map(({ id }) => id))}`;
    case 'user.pull':
      return `user.pull ${message.body.user}`;
    case 'users.remove':
      return `users.remove ${message.body.users.join(', ')}`;
    case 'users.digests':
      return `users.digests after ${message.body.after}`;
    case 'users.page':
      return `users.page ${idsOf(message.body.users.map(({ id }) => id))}`;
    case 'sketch.read':
      return `sketch.read ${message.body.from}`;
    case 'refused':
      return `refused ${message.body.reason}`;
    default:
      return SILENT.has(message.name) ? undefined : transferOf(message);
  }
}

function transferOf(message: Message): string {
  switch (message.name) {
    case 'transfer.begin':
    case 'transfer.announce':
    case 'transfer.share':
      return `${message.name} ${message.body.kind} of ${message.body.size} bytes`;
    case 'transfer.offered':
      return `transfer.offered ${message.body.size} bytes`;
    case 'transfer.committed':
      return ['transfer.committed', ...message.body.refused.map(({ reason }) => reason)].join(' ');
    default:
      return message.name;
  }
}

/** What is not compared, for it depends on what came before to the millisecond; but it can get lost like anything. */
export function minorOf(message: Message): string | undefined {
  switch (message.name) {
    case 'transfer.fetch':
      return `transfer.fetch ${message.body.first} ${message.body.count}`;
    case 'transfer.ask':
      return `transfer.ask ${message.body.from}`;
    case 'group.set':
      return message.name;
    default:
      return undefined;
  }
}

/** Keys are not in a recording: terminals are paired from the beginning. */
export const PAIRING: ReadonlySet<Message['name']> = new Set([
  ...(['pair.begin', 'pair.share', 'pair.open', 'pair.accept', 'pair.key', 'pair.kept'] as const),
]);

const SILENT = new Set<Message['name']>([
  ...PAIRING,
  ...(['discover', 'present', 'session.open', 'session.accept', 'group.set', 'group.taken'] as const),
  ...(['poll', 'idle', 'roll.call', 'chunk', 'transfer.fetch', 'transfer.ask', 'transfer.state'] as const),
]);

function idsOf(ids: readonly number[]): string {
  const [first, last] = [ids[0], ids.at(-1)];
  return first === undefined ? 'empty' : first === last ? `${first}` : `${first}–${last ?? first}`;
}
