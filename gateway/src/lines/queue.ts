import type { Job } from './job.ts';
import { PRIORITIES } from './priority.ts';
import type { Priority } from './priority.ts';

/** Jobs that wait for the line, by priority, then in order of arrival. */
export class JobQueue {
  readonly #queues = new Map(PRIORITIES.map((priority) => [priority, [] as Job[]]));
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Of who is next. */
  get priority(): Priority | undefined {
    return PRIORITIES.find((priority) => this.#queues.get(priority)?.length !== 0);
  }

  add(job: Job): void {
    this.#queues.get(job.priority)?.push(job);
    this.#length += 1;
  }

  next(): Job | undefined {
    if (this.#length === 0) return undefined;
    for (const queue of this.#queues.values()) {
      const job = queue.shift();
      if (job !== undefined) {
        this.#length -= 1;
        return job;
      }
    }
    return undefined;
  }

  /** Takes out all jobs. */
  drain(): Job[] {
    const jobs = [...this.#queues.values()].flatMap((queue) => queue.splice(0));
    this.#length = 0;
    return jobs;
  }

  /** Takes one job out; answers whether it was there. */
  remove(job: Job): boolean {
    const queue = this.#queues.get(job.priority);
    const index = queue?.indexOf(job) ?? -1;
    if (queue === undefined || index < 0) return false;
    queue.splice(index, 1);
    this.#length -= 1;
    return true;
  }
}
