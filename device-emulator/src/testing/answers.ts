import { encodeUser, LOG_KINDS, readRecord } from '@whorl/protocol';
import type { User, UserRecord } from '@whorl/protocol';

/** As it goes over the wire. */
export const recordOfUser = (user: User): UserRecord => readRecord(encodeUser(user));
export const ada: User = { id: 1042, name: 'Ada', groups: [1, 2] };
/** Records of a log in words: kind, origin, user, detail. */
export const kinds = (
  records: readonly { code: number; origin: string; user: number; detail: number }[],
): string[] =>
  records.map(({ code, origin, user, detail }) => {
    const kind = Object.entries(LOG_KINDS).find(([, row]) => row.code === code)?.[0] ?? '?';
    return `${kind} ${origin} ${user} ${detail}`;
  });
