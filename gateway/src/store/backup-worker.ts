import { workerData } from 'node:worker_threads';
import { seal } from './sealed-copy.ts';
import type { SealedCopy } from './sealed-copy.ts';

// In a thread of its own: unsealing a hundred thousand users takes seconds in which lines must go on.
await seal(workerData as SealedCopy);
