import type { Command } from 'commander';

/** Commands about the API. */
export function addApiCommands(program: Command): void {
  const api = program.command('api').description('the HTTP API');
  api
    .command('openapi')
    .description('print the API as an OpenAPI 3.1 document; needs no gateway')
    .addHelpText('after', '\nExample:\n  whorl api openapi > openapi.json')
    .action(async () => {
      // Loaded only here: the other commands start sooner without it.
      const [{ openApi }, { ROUTES }] = await Promise.all([
        import('../../http/openapi.ts'),
        import('../../http/routes.ts'),
      ]);
      console.log(JSON.stringify(openApi(ROUTES), undefined, 2));
    });
}
