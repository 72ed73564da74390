import type { TestProject } from 'vitest/node';
import { postgresPrograms, startPostgres } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that all tests of a run share; absent where there is none. */
    postgres: { readonly url: string; readonly passwordFile: string } | undefined;
  }
}

/** One server for all tests of a run: to be forgotten afterwards, it need not outlive a power cut. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const programs = postgresPrograms();
  if (programs === undefined) {
    project.provide('postgres', undefined);
    return undefined;
  }
  const server = await startPostgres(programs, ['-c', 'fsync=off', '-c', 'max_connections=300']);
  project.provide('postgres', { url: server.url, passwordFile: server.passwordFile });
  return () => server.stop();
}
