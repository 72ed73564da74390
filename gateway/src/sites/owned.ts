import { WhorlError } from '@whorl/protocol';
import type { Store } from '../store/store.ts';
import type { Operations } from '../sync/operations.ts';
import type { TaskOperations } from '../tasks/operations.ts';

/**
 * The operations of a satellite: what the master keeps can be looked at, and changed only there. Two people under one
 * id can be told apart here, where they are; what comes of it is offered to the master.
 * @param master its name
 */
export function ownedOperations(
  operations: Operations,
  store: Pick<Store, 'conflict'>,
  master: string,
): Operations {
  const refuse = (what: string) => (): Promise<never> =>
    Promise.reject(new WhorlError('SITES_OWNED', `${what} at the master, ${master}`));
  const users = refuse('users are added, changed and deleted');
  const policies = refuse('merge policies are set');
  const mayDecide = async (id: number): Promise<void> => {
    const conflict = await store.conflict(id);
    if (conflict !== undefined && conflict.kind !== 'two-people') await refuse('this conflict is decided')();
  };
  const own: Partial<Operations> = {
    addUser: users,
    editUser: users,
    deleteUser: users,
    eraseUser: users,
    deleteUsers: users,
    allowImport: users,
    decideConflicts: refuse('conflicts are decided'),
    changeSettings: (changes, confirmation) =>
      'merge' in changes || 'hold' in changes ? policies() : operations.changeSettings(changes, confirmation),
    decideConflict: async (id, decision) => {
      await mayDecide(id);
      return operations.decideConflict(id, decision);
    },
    undoConflict: async (id) => {
      await mayDecide(id);
      return operations.undoConflict(id);
    },
  };
  return instead(operations, own);
}

/** Tasks, operators and files of a satellite: the same. What runs at its terminals is its own. */
export function ownedTasks(tasks: TaskOperations, master: string): TaskOperations {
  const refuse = (what: string) => (): Promise<never> =>
    Promise.reject(new WhorlError('SITES_OWNED', `${what} at the master, ${master}`));
  const task = refuse('sync tasks are added, changed and removed');
  const operator = refuse('operators of portable terminals are added, changed and removed');
  const file = refuse('files of sync tasks are added, changed and removed');
  return instead(tasks, {
    ...{ addTask: task, changeTask: task, removeTask: task },
    ...{ saveOperator: operator, removeOperator: operator, saveFile: file, removeFile: file },
  });
}

/** The same object with other methods in the place of some. */
function instead<Whole extends object>(whole: Whole, own: Partial<Whole>): Whole {
  return new Proxy(whole, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name) as unknown;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}
