/**
 * Which way imports may point. Types count: an `import type` is an import.
 */

/** gateway/src from top to bottom; an import goes down this list or stays on its row. */
const gatewayRows = [
  ['gateway'],
  ['cli', 'http', 'mqtt'],
  ['access', 'jobs', 'metrics'],
  ['sync', 'tasks', 'sites'],
  ['terminals'],
  ['lines'],
  ['store'],
  ['events'],
  ['settings'],
];

const folder = (names) => `^gateway/src/(${names.join('|')})(/|\\.ts$)`;

const gatewayLayers = gatewayRows.slice(1).map((row, index) => ({
  name: `gateway-${row.join('-')}-imports-down`,
  comment: 'An import in gateway/src goes down the list of layers or stays on its row, never up.',
  severity: 'error',
  from: {
    path: folder(row),
    // The one command that runs a gateway; and tests may wire up whatever they need.
    pathNot: ['^gateway/src/cli/start(\\.ts|/)', '\\.test\\.ts$', '/testing/'],
  },
  to: { path: folder(gatewayRows.slice(0, index + 1).flat()) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one file, or share a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'protocol-stands-alone',
      comment: 'protocol imports no other workspace.',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: '^(gateway|device-emulator|hil-tests)/' },
    },
    {
      name: 'gateway-imports-protocol-only',
      comment: 'Gateway and emulator meet only on the wire.',
      severity: 'error',
      from: { path: '^gateway/' },
      to: { path: '^(device-emulator|hil-tests)/' },
    },
    {
      name: 'emulator-imports-protocol-only',
      comment: 'Gateway and emulator meet only on the wire.',
      severity: 'error',
      from: { path: '^device-emulator/' },
      to: { path: '^(gateway|hil-tests)/' },
    },
    {
      name: 'firmware-knows-no-machine',
      comment:
        'A terminal knows no port, no file and nothing of what it is part of: it is handed what it needs.',
      severity: 'error',
      from: { path: '^device-emulator/src/firmware/', pathNot: '\\.test\\.ts$' },
      to: {
        path: [
          '^device-emulator/src/(?!firmware/)',
          '^(node:)?(fs|net|http|path|os|child_process|dgram|tls|worker_threads)(/|$)',
        ],
      },
    },
    {
      name: 'panel-is-for-browsers',
      comment: 'What runs in the browser is imported by nothing else.',
      severity: 'error',
      from: { pathNot: '^device-emulator/src/panel/' },
      to: { path: '^device-emulator/src/panel/' },
    },
    {
      name: 'panel-gets-what-is-served',
      comment: 'The panel imports itself, its libraries, and what control/panel-files.ts gives a browser.',
      severity: 'error',
      from: { path: '^device-emulator/src/panel/', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: [
          '^device-emulator/src/(panel/|events/event\\.ts$|control/views\\.ts$)',
          '^device-emulator/src/firmware/portable/display\\.ts$',
          'node_modules/(@awesome\\.me/webawesome|lit|zod)/',
        ],
      },
    },
    {
      name: 'no-own-barrel',
      comment: "A package's index.ts is for others; inside, import the file that has it.",
      severity: 'error',
      from: { path: '^([^/]+)/src/' },
      to: { path: '^$1/src/index\\.ts$' },
    },
    {
      name: 'resolvable',
      comment: 'Every import resolves to something that package.json names.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'named-dependency',
      comment:
        'A package is named in the package.json of the workspace that imports it (tools: in the root).',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    ...gatewayLayers,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
