/** What of the site is open in detail. */
export type Route =
  | { readonly kind: 'site' }
  | { readonly kind: 'line'; readonly name: string }
  | { readonly kind: 'terminal'; readonly name: string };

const SITE: Route = { kind: 'site' };

/** Reads a page's fragment, such as `#/terminals/front-door`; what is none leads to the site. */
export function readRoute(fragment: string): Route {
  const [, folder, encoded = ''] = /^#\/(lines|terminals)\/([^/]+)$/.exec(fragment) ?? [];
  if (folder === undefined) return SITE;
  try {
    return { kind: folder === 'lines' ? 'line' : 'terminal', name: decodeURIComponent(encoded) };
  } catch {
    return SITE;
  }
}

/** The inverse of {@link readRoute}. */
export function hrefOf(route: Route): string {
  return route.kind === 'site' ? '#/' : `#/${route.kind}s/${encodeURIComponent(route.name)}`;
}
