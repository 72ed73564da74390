import { z } from 'zod';
import { operatorId, shownName } from '../../settings/task.ts';
import { route } from '../route.ts';
import { done, secret } from '../schemas.ts';

const params = z.object({ id: z.coerce.number().pipe(operatorId) });

/** Who may log in at portable terminals. */
export const operatorRoutes = [
  route({
    method: 'GET',
    path: '/operators',
    name: 'operators.list',
    role: 'viewer',
    doc: 'Operators of portable terminals, without their PINs.',
    answer: z.array(z.strictObject({ id: z.int(), name: z.string() })).readonly(),
    handle: (_asked, { tasks }) => tasks.operators(),
  }),
  route({
    method: 'PUT',
    path: '/operators/:id',
    name: 'operators.put',
    role: 'installer',
    doc: 'Adds an operator, or changes name or PIN. Terminals get a verifier of the PIN, never the PIN; it is told to nobody.',
    params,
    body: z.strictObject({ name: shownName.optional(), pin: secret.optional() }),
    answer: done,
    handle: async ({ params: { id }, body }, { tasks }) => {
      await tasks.saveOperator(id, body);
      return {};
    },
  }),
  route({
    method: 'DELETE',
    path: '/operators/:id',
    name: 'operators.remove',
    role: 'installer',
    doc: 'Removes an operator whom no task names; terminals know them no more from their next greeting on.',
    params,
    answer: done,
    handle: async ({ params: { id } }, { tasks }) => {
      await tasks.removeOperator(id);
      return {};
    },
  }),
];
