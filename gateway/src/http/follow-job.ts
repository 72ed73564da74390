import type { Clock } from '@whorl/protocol';
import type { FastifyReply } from 'fastify';
import type { Jobs } from '../jobs/jobs.ts';
import { Stream } from './stream.ts';

/** Tells a job each time that it has moved on, the newest state only to who reads slowly, until it has ended. */
export function followJob(parts: {
  readonly reply: FastifyReply;
  readonly jobs: Jobs;
  readonly id: number;
  readonly clock: Clock;
  readonly sse: boolean;
  readonly onFailure: (error: unknown) => void;
}): void {
  const { jobs, id } = parts;
  const stream = new Stream(parts.reply, parts.clock, parts.sse);
  const stop = jobs.watch(id, () => stream.wake());
  void tell(jobs, id, stream)
    .catch(parts.onFailure)
    .finally(() => {
      stop();
      stream.end();
    });
}

async function tell(jobs: Jobs, id: number, stream: Stream): Promise<void> {
  while (stream.isOpen) {
    const job = await jobs.job(id);
    await stream.write({ event: job.state === 'running' ? 'progress' : 'end', data: job });
    if (job.state !== 'running') return;
    await stream.woken();
  }
}
