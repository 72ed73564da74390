import { z } from 'zod';
import { fileName } from '../../settings/task.ts';
import type { FileRow } from '../../store/tasks.ts';
import { FILE_KINDS } from '../../terminals/portable.ts';
import { route } from '../route.ts';
import { done, milliseconds } from '../schemas.ts';

const params = z.object({ name: fileName });
const fileView = z.strictObject({
  name: z.string(),
  kind: z.string(),
  size: z.int().describe('Bytes.'),
  digest: z.string().describe('SHA-256 cut to 16 bytes, in hex.'),
  changed: milliseconds,
});
/** 16 MiB as base64, and a little around it. */
const MOST_BYTES = 23 << 20;

/** Files that go to portable terminals with tasks: wallpapers, floor plans, photos, firmware. */
export const taskFileRoutes = [
  route({
    method: 'GET',
    path: '/files',
    name: 'files.list',
    role: 'viewer',
    doc: 'Files for tasks, by name, without their bytes.',
    answer: z.array(fileView).readonly(),
    handle: async (_asked, { tasks }) => (await tasks.files()).map(viewOf),
  }),
  route({
    method: 'PUT',
    path: '/files/:name',
    name: 'files.put',
    role: 'installer',
    doc: 'Keeps a file for tasks, in the place of one of the same name; kept sealed, at most 16 MiB.',
    params,
    body: z.strictObject({ kind: z.enum(FILE_KINDS), content: z.base64() }),
    detail: ({ body }) => ({ kind: body.kind, characters: body.content.length }),
    mostBytes: MOST_BYTES,
    answer: fileView,
    handle: async ({ params: { name }, body: { kind, content } }, { tasks }) =>
      viewOf(await tasks.saveFile({ name, kind, bytes: Buffer.from(content, 'base64') })),
  }),
  route({
    method: 'DELETE',
    path: '/files/:name',
    name: 'files.remove',
    role: 'installer',
    doc: 'Removes a file that no task brings any more.',
    params,
    answer: done,
    handle: async ({ params: { name } }, { tasks }) => {
      await tasks.removeFile(name);
      return {};
    },
  }),
];

function viewOf({ name, kind, size, digest, changed }: FileRow): z.infer<typeof fileView> {
  return { name, kind, size, digest: Buffer.from(digest).toString('hex'), changed };
}
