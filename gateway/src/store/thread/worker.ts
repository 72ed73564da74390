import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { machineInRealTime } from '../ground.ts';
import type { Ground } from '../ground.ts';
import { openStore } from '../open.ts';
import type { Store } from '../store.ts';
import { sentError } from './messages.ts';
import type { Answer, Call, ThreadPlan } from './messages.ts';
import { METHODS } from './methods.ts';
import { PACKINGS } from './packing.ts';

// The store in a thread of its own: a disk that takes its time stalls this thread and no other. What comes in one message
// is done in its order; reads are answered at once, writes when the commit that they share is on the disk.

type Method = (...given: readonly unknown[]) => Promise<unknown>;

let answers: Answer[] = [];

function answer(one: Answer): void {
  // After all that the same commit has settled: one message tells of all of it.
  if (answers.push(one) === 1) process.nextTick(flush);
}

function flush(): void {
  const sent = answers;
  answers = [];
  try {
    parentPort?.postMessage(sent);
  } catch (error) {
    // One of them cannot be cloned: the others shall not wait for ever.
    for (const one of sent) sendAlone(one, error);
  }
}

function sendAlone(one: Answer, error: unknown): void {
  try {
    parentPort?.postMessage([one]);
  } catch {
    parentPort?.postMessage([['error', one[1], sentError(error)] satisfies Answer]);
  }
}

async function opened(): Promise<Store | undefined> {
  const { data, database, fresh, ground } = workerData as ThreadPlan;
  try {
    const chosen =
      ground === undefined ? machineInRealTime : ((await import(ground)) as { ground: Ground }).ground;
    const store = openStore({ data, database, fresh, ground: chosen });
    store.spill.watch((error) => {
      answer(['failed', 0, sentError(error)]);
    });
    store.members.watch(() => {
      answer(['told', 0, undefined]);
    });
    answer(['open', 0, undefined]);
    return store;
  } catch (error) {
    answer(['open', 0, sentError(error)]);
    return undefined;
  }
}

function methodsOf(store: Store): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  for (const [part, names] of Object.entries(METHODS)) {
    const target: unknown = part === 'store' ? store : Reflect.get(store, part);
    if (typeof target !== 'object' || target === null) continue;
    for (const name of Object.keys(names)) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') continue;
      methods.set(`${part}.${name}`, async (...given) => {
        const value: unknown = await Reflect.apply(method, target, given);
        return value;
      });
    }
  }
  return methods;
}

async function carryOut(methods: ReadonlyMap<string, Method>, call: Call): Promise<void> {
  const [id, part, name, given] = call;
  const key = `${part}.${name}`;
  try {
    const { unpack, packAnswer } = PACKINGS.get(key) ?? {};
    const value = await methods.get(key)?.(...(unpack?.(given) ?? given));
    answer(['value', id, packAnswer === undefined ? value : packAnswer(value)]);
  } catch (error) {
    answer(['error', id, sentError(error)]);
  }
  // Nothing keeps the thread once the store is closed and the answer is sent.
  if (key === 'store.close') process.nextTick(() => parentPort?.close());
}

const store = await opened();
if (store === undefined) process.nextTick(() => parentPort?.close());
else {
  const methods = methodsOf(store);
  parentPort?.on('message', (calls: readonly Call[]) => {
    for (const call of calls) void carryOut(methods, call);
  });
}
