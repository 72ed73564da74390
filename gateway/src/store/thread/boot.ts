import { enableCompileCache, flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { ThreadPlan } from './messages.ts';

// A thread begins without the compiled code that its process keeps: it is to start as quickly.
const { cache } = workerData as ThreadPlan;
if (cache !== undefined) enableCompileCache({ directory: cache, portable: true });
await import('./worker.ts');
if (cache !== undefined) flushCompileCache();
