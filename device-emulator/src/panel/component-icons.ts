import { registerIconLibrary } from '@awesome.me/webawesome/dist/components/icon/library.js';

/** What the components draw by themselves; other icons they would fetch from elsewhere. */
const DRAWN: Readonly<Record<string, string>> = {
  'chevron-down': 'M5 9l7 7 7-7',
  'chevron-left': 'M15 5l-7 7 7 7',
  'chevron-right': 'M9 5l7 7-7 7',
  'circle-xmark': 'M8 8l8 8M16 8l-8 8',
  xmark: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  eye: 'M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5',
  'eye-slash': 'M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6M5 19L19 5',
};

/** Gives the components their icons, all within the page. */
export function registerIcons(): void {
  const resolver = (name: string): string => {
    const path = DRAWN[name] ?? '';
    const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="${path}"/></svg>`;
    return `data:image/svg+xml,${encodeURIComponent(text)}`;
  };
  for (const library of ['default', 'system']) registerIconLibrary(library, { resolver });
}
