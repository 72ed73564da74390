import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const SOURCES = dirname(import.meta.dirname);
/** Sources that a browser is given: the panel’s own, and what it shares with the emulator. */
const SHOWN = /^(panel\/(?!.*\.test\.ts$)|events\/event\.ts$|control\/views\.ts$)/;

/** Served in place of what is installed: zod asks for its messages in some sixty languages, and the panel shows none. */
const INSTEAD: Readonly<Record<string, string>> = {
  'v4/locales/index.js': "export { default as en } from './en.js';\n",
};

/** What the panel is built with, as a browser asks for it. */
const LIBRARIES = [
  {
    name: '@awesome.me/webawesome',
    entry: undefined,
    part: 'dist-cdn',
    as: '@awesome.me/webawesome/dist/',
  },
  { name: 'lit', entry: 'index.js', part: '', as: 'lit/' },
  { name: 'lit-html', entry: 'lit-html.js', part: '', as: 'lit-html/' },
  { name: 'lit-element', entry: 'lit-element.js', part: '', as: 'lit-element/' },
  { name: '@lit/reactive-element', entry: 'reactive-element.js', part: '', as: '@lit/reactive-element/' },
  { name: 'zod', entry: 'index.js', part: '', as: 'zod/' },
] as const;

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  ts: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

export interface PanelFile {
  readonly type: string;
  readonly text: string;
  /** It is the same for ever at this address. */
  readonly fixed: boolean;
}

/** What the panel consists of, as a browser asks for it. */
export interface PanelFiles {
  readonly page: string;
  /** Value of the page’s Content-Security-Policy: nothing but what this server gives. */
  readonly policy: string;
  /** @param path below `/panel/`; `undefined` when there is no such file */
  readonly file: (path: string) => PanelFile | undefined;
}

interface Library {
  readonly name: string;
  readonly folder: string;
  /** Below `/panel/`, with its version, so that a browser keeps it until there is another. */
  readonly at: string;
}

/**
 * The panel's files: TypeScript becomes JavaScript as it is asked for, libraries come as they are installed.
 * @throws Error when a library is not installed
 */
export function panelFiles(): PanelFiles {
  const libraries = LIBRARIES.map((library) => ({ ...library, ...findLibrary(library.name) }));
  const imports: Readonly<Record<string, string>> = Object.fromEntries(
    libraries.flatMap(({ name, entry, part, as, at }) => {
      const folder: [string, string] = [as, `/panel/${at}${part === '' ? '' : `${part}/`}`];
      return entry === undefined ? [folder] : [folder, [name, `/panel/${at}${entry}`]];
    }),
  );
  const map = JSON.stringify({ imports });
  const components = imports['@awesome.me/webawesome/dist/'] ?? '';
  return {
    page: pageOf(map, components),
    policy: policyOf(map),
    file(path) {
      // A way up leads out of what is shown.
      if (path.split(/[/\\]/).includes('..')) return undefined;
      return path.startsWith('lib/') ? libraryFile(path, libraries) : ownFile(path);
    },
  };
}

function findLibrary(name: string): Pick<Library, 'folder' | 'at'> {
  let folder = dirname(fileURLToPath(import.meta.resolve(name)));
  while (!folder.endsWith(join('node_modules', ...name.split('/')))) folder = dirname(folder);
  const { version } = z.object({ version: z.string() }).parse(readJson(join(folder, 'package.json')));
  return { folder, at: `lib/${name}@${version}/` };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function libraryFile(path: string, libraries: readonly Library[]): PanelFile | undefined {
  const found = libraries.find(({ at }) => path.startsWith(at));
  if (found === undefined) return undefined;
  const file = path.slice(found.at.length);
  const own = read(found.folder, file, true);
  const instead = found.name === 'zod' ? INSTEAD[file] : undefined;
  return own === undefined || instead === undefined ? own : { ...own, text: instead };
}

function ownFile(path: string): PanelFile | undefined {
  return SHOWN.test(path) ? read(SOURCES, path, false) : undefined;
}

function read(folder: string, path: string, fixed: boolean): PanelFile | undefined {
  const full = normalize(join(folder, path));
  const ending = /\.([a-z]+)$/.exec(full)?.[1] ?? '';
  const type = TYPES[ending];
  if (type === undefined || !full.startsWith(`${folder}${sep}`)) return undefined;
  if (statSync(full, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const text = readFileSync(full, 'utf8');
  return { type, text: ending === 'ts' ? stripTypeScriptTypes(text) : text, fixed };
}

function policyOf(importMap: string): string {
  const hash = createHash('sha256').update(importMap).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function pageOf(importMap: string, components: string): string {
  return `<!doctype html>
<html lang="en" class="wa-brand-indigo">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Whorl front panel</title>
    <link rel="icon" href="/panel/panel/whorl.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="${components}styles/themes/default.css" />
    <link rel="stylesheet" href="${components}styles/color/variants.css" />
    <link rel="stylesheet" href="/panel/panel/page.css" />
    <script type="importmap">${importMap}</script>
    <script type="module" src="/panel/panel/watch.ts"></script>
    <script type="module" src="/panel/panel/main.ts"></script>
  </head>
  <body>
    <front-panel><p>The front panel is being loaded …</p></front-panel>
    <noscript>The front panel needs JavaScript.</noscript>
  </body>
</html>
`;
}
