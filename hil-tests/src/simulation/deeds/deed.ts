import { codeOf } from '@whorl/protocol';
import { z } from 'zod';
import type { Played } from '../run.ts';

/** What was done, for people; nothing when it did not apply. */
export type Told = string | undefined;

/** Something that people or the world can do, as data, so that what was done can be kept and done again. */
export interface DeedKind<Name extends string, Shape extends z.ZodRawShape> {
  readonly schema: z.ZodObject<{ do: z.ZodLiteral<Name> } & Shape, z.core.$strict>;
  /** @throws Error that something is not as it must be, or that the deed is none of this kind */
  readonly perform: (played: Played, deed: unknown) => Promise<Told>;
}

export function deed<Name extends string, Shape extends z.ZodRawShape>(
  name: Name,
  shape: Shape,
  does: (
    played: Played,
    given: z.infer<DeedKind<Name, Shape>['schema']>,
  ) => Promise<Told> | Told | Promise<void>,
): DeedKind<Name, Shape> {
  const schema = z.strictObject({ do: z.literal(name), ...shape });
  return {
    schema,
    async perform(played, given) {
      return (await does(played, schema.parse(given))) ?? undefined;
    },
  };
}

/** `unsure`: the terminal lost power meanwhile. */
export function there(work: () => unknown): 'done' | 'refused' | 'unsure' {
  try {
    work();
    return 'done';
  } catch (error) {
    if (codeOf(error) === 'TERMINAL_OFF') return 'unsure';
    if (codeOf(error) === 'FLASH_FAILED') return 'refused';
    throw error;
  }
}

/** `unsure`: the power went, so that it may or may not have been done. */
export async function tried(work: Promise<unknown>): Promise<'done' | 'refused' | 'unsure'> {
  try {
    await work;
    return 'done';
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code.startsWith('USER_')) return 'refused';
    if (code.startsWith('STORE_')) return 'unsure';
    throw error;
  }
}
