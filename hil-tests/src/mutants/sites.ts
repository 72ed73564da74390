import type { Mutant } from './mutant.ts';

const SITES = 'gateway/src/sites';

/** Of a master and its satellites. */
export const MUTANTS_OF_SITES: readonly Mutant[] = [
  {
    name: 'commits are not synced, and a master or a satellite loses power',
    file: 'gateway/src/store/migrations.ts',
    from: 'PRAGMA synchronous = FULL;',
    to: 'PRAGMA synchronous = NORMAL;',
    by: 'sites',
  },
  {
    name: 'how far a site has got its master is noted before what came is stored',
    file: `${SITES}/exchange.ts`,
    from: '      await takeDown(ground, { rows, blobs, also, guard });',
    to: '      await ground.site.store.sites.mark(also).then(() => takeDown(ground, { rows, blobs, also: [], guard }));',
    by: 'sites',
  },
  {
    name: 'a master notes how far it has got a site before it merges what is offered',
    file: `${SITES}/taking.ts`,
    from: '  const taken = await take(ground, site, { rows, blobs, also: [progress] });',
    to: '  await ground.site.store.sites.mark([progress]);\n  const taken = await take(ground, site, { rows, blobs, also: [] });',
    by: 'sites',
  },
  {
    name: 'whom a restored master lost is not offered to it again',
    file: `${SITES}/exchange.ts`,
    from: '      ...missing.flatMap((user)',
    to: '      ...missing.slice(missing.length).flatMap((user)',
    by: 'sites',
  },
  {
    name: 'a master removes as many as it likes from a site, and nobody is asked',
    file: `${SITES}/downward.ts`,
    from: '  if (guard !== undefined) {',
    to: '  if (guard !== undefined && guard.users < 0) {',
    by: 'sites',
  },
  {
    name: 'who uses a used-up token is not taken for a copy',
    file: `${SITES}/admission.ts`,
    from: 'if (binding?.spent.includes(hello.token) === true)',
    to: "if (binding?.spent.includes(hello.token) === true && hello.id === '')",
    by: 'sites',
  },
];
