import process from 'node:process';
import { doJob } from './do-job.ts';
import { jobSchema } from './job.ts';

// Does jobs one after the other for whoever started this process, and ends with them.

// Ctrl-C is for the one who started it: what is half done is of no use.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  void doJob(jobSchema.parse(message)).then((outcome) => process.send?.(outcome));
});
