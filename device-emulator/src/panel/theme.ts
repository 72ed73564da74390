const KEPT_AS = 'whorl-panel-colours';
const DARK = 'wa-dark';

/** Colours as chosen last in this browser, else as its system has them; follows the system until somebody chooses. */
export function startTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const kept = localStorage.getItem(KEPT_AS);
  document.documentElement.classList.toggle(DARK, kept === null ? system.matches : kept === 'dark');
  system.addEventListener('change', ({ matches }) => {
    if (localStorage.getItem(KEPT_AS) === null) document.documentElement.classList.toggle(DARK, matches);
  });
}

export function isDark(): boolean {
  return document.documentElement.classList.contains(DARK);
}

export function setDark(dark: boolean): void {
  document.documentElement.classList.toggle(DARK, dark);
  localStorage.setItem(KEPT_AS, dark ? 'dark' : 'light');
}
