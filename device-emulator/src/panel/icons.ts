import { html, svg } from 'lit';
import type { TemplateResult } from 'lit';

const PATHS = {
  back: svg`<path d="M15 5l-7 7 7 7"/>`,
  power: svg`<path d="M12 3.5v8"/><path d="M6.8 7a7.5 7.5 0 1 0 10.4 0"/>`,
  plug: svg`<path d="M9 3v5M15 3v5M6.5 8h11v3a5.5 5.5 0 0 1-11 0zM12 16.5V21"/>`,
  warning: svg`<path d="M12 4l9 15.5H3z"/><path d="M12 10v4.5M12 17.2v.1"/>`,
  pause: svg`<path d="M9 5.5v13M15 5.5v13"/>`,
  play: svg`<path d="M8 5.5l10 6.5-10 6.5z"/>`,
  sun: svg`<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4"/>`,
  moon: svg`<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>`,
  card: svg`<rect x="3.5" y="6" width="17" height="12" rx="2"/><path d="M3.5 10h17M7 14.5h4"/>`,
  face: svg`<path d="M4 8.5V6a2 2 0 0 1 2-2h2.5M15.5 4H18a2 2 0 0 1 2 2v2.5M20 15.5V18a2 2 0 0 1-2 2h-2.5M8.5 20H6a2 2 0 0 1-2-2v-2.5"/><path d="M9 10v.1M15 10v.1M9 14.5a4.2 4.2 0 0 0 6 0"/>`,
  door: svg`<path d="M6.5 20V4h11v16M4 20h16M14 12v.1"/>`,
  doorOpen: svg`<path d="M6.5 20V4h11v16M4 20h16"/><path d="M6.5 4l6.5 3v14.5L6.5 20M10.5 14v.1"/>`,
  dock: svg`<rect x="8" y="3.5" width="8" height="12" rx="1.5"/><path d="M4.5 14v4.5a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2V14M10.5 12.5h3"/>`,
  person: svg`<circle cx="12" cy="8" r="3.5"/><path d="M5 20a7 7 0 0 1 14 0"/>`,
  close: svg`<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>`,
  finger: svg`<path d="M12 12.5v-1a1.4 1.4 0 0 1 2.8 0c0 3-.6 5.6-1.7 8"/><path d="M9.1 19c1-2.2 1.2-4.6 1.2-7.5a3.7 3.7 0 0 1 5.2-3.4"/><path d="M17.4 10.4c.2 3-.1 5.8-.9 8.4"/><path d="M6.2 16.6c.6-1.6.7-3.2.7-5.1a5.1 5.1 0 0 1 9.4-2.7"/><path d="M4 13.2c.1-.6.1-1.1.1-1.7a7.9 7.9 0 0 1 15.8 0c0 1.3 0 2.6-.2 3.8"/>`,
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing in the colour of the text; it says nothing to a screen reader. */
export function icon(name: IconName, size = 20): TemplateResult {
  return html`<svg
    class="icon"
    width=${size}
    height=${size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${PATHS[name]}
  </svg>`;
}
