import type { Clock } from '@whorl/protocol';
import type { FastifyReply } from 'fastify';
import type { SyncView, TaskOperations } from '../tasks/operations.ts';
import { Stream } from './stream.ts';

/** Tells sync sessions each time that they have moved on; the newest state only to who reads slowly. */
export function followSyncs(parts: {
  readonly reply: FastifyReply;
  readonly tasks: TaskOperations;
  readonly clock: Clock;
  readonly sse: boolean;
  readonly onFailure: (error: unknown) => void;
  /** Those that run. */
  readonly first: readonly SyncView[];
  /** Only of this one. */
  readonly terminal: string | undefined;
}): void {
  const stream = new Stream(parts.reply, parts.clock, parts.sse);
  const news = new Map(parts.first.map((sync) => [sync.id, sync]));
  const stop = parts.tasks.watch((sync) => {
    if (parts.terminal !== undefined && sync.terminal !== parts.terminal) return;
    news.set(sync.id, sync);
    stream.wake();
  });
  void tell(stream, news)
    .catch(parts.onFailure)
    .finally(() => {
      stop();
      stream.end();
    });
}

async function tell(stream: Stream, news: Map<number, SyncView>): Promise<void> {
  while (stream.isOpen) {
    for (const [id, sync] of [...news]) {
      news.delete(id);
      await stream.write({ event: sync.state === 'running' ? 'progress' : 'end', data: sync });
    }
    if (news.size === 0) await stream.woken();
  }
}
