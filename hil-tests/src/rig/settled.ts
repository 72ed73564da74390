import { codeOf } from '@whorl/protocol';
import type { Site } from './site.ts';

/** Waits for what needs the rig's time to pass; answers with the code of its error, if any. */
export async function settled<T>(rig: Site, what: string, work: Promise<T>): Promise<T | string | undefined> {
  let result: { readonly value: T | string | undefined } | undefined;
  void work.then(
    (value) => {
      result = { value };
    },
    (error: unknown) => {
      result = { value: codeOf(error) };
    },
  );
  await rig.until(what, () => result !== undefined);
  return result?.value;
}

/** Waits for what needs the rig's time to pass. @throws what it threw */
export async function during<T>(rig: Site, what: string, work: Promise<T>): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  await rig.until(what, () => over);
  return ended;
}
