import { css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/callout/callout.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import { icon } from './icons.ts';
import './line-card.ts';
import './line-view.ts';
import './module-card.ts';
import { Part } from './part.ts';
import { readRoute } from './route.ts';
import type { Route } from './route.ts';
import { found, foundModules } from './state.ts';
import { Store } from './store.ts';
import type { LinkState } from './store.ts';
import { shared } from './styles.ts';
import './terminal-view.ts';
import { isDark, setDark } from './theme.ts';
import { valueOf } from './values.ts';

/** Lines that are drawn at once; a search finds the others. */
const MOST_LINES = 40;
/** A line with so many terminals has room beside another one in a wide window. */
const MOST_BESIDE = 3;

const LINK_TEXT: Readonly<Record<LinkState, string>> = {
  connecting: 'Connecting …',
  live: 'Live',
  gone: 'The emulator is gone',
  lost: 'Not connected',
};

/** The whole panel: the site with its lines, and beside it what is open in detail. */
export class FrontPanel extends Part {
  static override styles = [
    shared,
    css`
      header {
        position: sticky;
        top: 0;
        z-index: 5;
        display: flex;
        align-items: center;
        gap: 10px 16px;
        flex-wrap: wrap;
        padding: 10px clamp(14px, 2.5vw, 32px);
        background: color-mix(in srgb, var(--panel-page) 88%, transparent);
        backdrop-filter: blur(10px);
        border-bottom: 1px solid var(--panel-line);
      }
      h1 {
        font-size: 1.1rem;
        letter-spacing: -0.01em;
        display: flex;
        align-items: center;
        gap: 9px;
      }
      h1 .icon {
        color: var(--panel-brand);
      }
      h1 span {
        font-weight: 400;
        color: var(--panel-quiet);
      }
      .search {
        flex: 1 1 180px;
        max-width: 380px;
        margin-inline-start: auto;
      }
      .search::part(label) {
        position: absolute;
        clip-path: inset(50%);
      }
      main {
        display: grid;
        gap: 18px;
        align-items: start;
        grid-template-columns: minmax(0, 1fr);
        padding: 18px clamp(14px, 2.5vw, 32px) 60px;
        max-width: 1760px;
        margin: 0 auto;
      }
      .site {
        display: grid;
        gap: 18px;
        grid-template-columns: minmax(0, 1fr);
      }
      .absence {
        padding: 8px clamp(14px, 2.5vw, 32px);
        background: var(--panel-bad-soft);
        color: var(--panel-bad);
      }
      .gone {
        opacity: 0.55;
      }
      .detail {
        min-width: 0;
      }
      .open .site {
        display: none;
      }
      @media (min-width: 1180px) {
        .open {
          grid-template-columns: minmax(340px, 5fr) minmax(0, 8fr);
        }
        .open .site {
          display: grid;
        }
        .open .detail {
          position: sticky;
          top: 74px;
          max-height: calc(100vh - 92px);
          overflow: auto;
          border-radius: var(--panel-radius);
        }
      }
      @media (min-width: 1180px) {
        main:not(.open) .site {
          grid-template-columns: repeat(2, minmax(0, 1fr));
          align-items: start;
        }
        main:not(.open) .site > .long {
          grid-column: 1 / -1;
        }
      }
      @media (max-width: 640px) {
        header {
          position: static;
        }
        h1 span {
          position: absolute;
          clip-path: inset(50%);
        }
        .colours {
          order: 1;
          margin-inline-start: auto;
        }
        .search {
          order: 2;
        }
        .pause {
          order: 3;
        }
      }
      .link::before {
        content: '';
        width: 7px;
        height: 7px;
        border-radius: 50%;
        background: currentColor;
      }
      .refusal {
        position: fixed;
        z-index: 9;
        inset-inline: 0;
        bottom: 18px;
        margin: 0 auto;
        width: min(560px, calc(100vw - 28px));
        box-shadow: var(--panel-shadow);
        background: var(--panel-card);
        border-radius: 10px;
      }
      .refusal .row {
        flex-wrap: nowrap;
      }
    `,
  ];
  #route: Route = readRoute(location.hash);
  #search = '';
  readonly #go = (): void => {
    this.#route = readRoute(location.hash);
    // What could not be done elsewhere is of no interest here.
    this.store.dismiss();
    scrollTo({ top: 0 });
    this.requestUpdate();
  };

  constructor() {
    super();
    this.store = new Store();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('hashchange', this.#go);
    this.store.follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('hashchange', this.#go);
  }

  override render(): TemplateResult {
    const detail = this.#detail();
    return html`${this.#header()} ${this.#absence()}
      <main class=${`${detail === undefined ? '' : 'open'} ${this.store.link === 'gone' ? 'gone' : ''}`}>
        <div class="site">${this.#site()}</div>
        ${detail === undefined ? '' : html`<div class="detail">${detail}</div>`}
      </main>
      ${this.#refusal()}`;
  }

  #header(): TemplateResult {
    const { store } = this;
    const faults = store.state.active.length;
    return html`<header>
      <h1>${icon('finger', 26)} Whorl <span>front panel</span></h1>
      <span
        class="chip link ${store.link === 'live' ? 'good' : store.link === 'connecting' ? '' : 'bad'}"
        role="status"
        >${LINK_TEXT[store.link]}</span
      >
      ${
        faults > 0
          ? html`<span class="chip bad"
              >${icon('warning', 13)} ${faults} ${faults === 1 ? 'fault' : 'faults'} on</span
            >`
          : ''
      }
      <wa-input
        class="search"
        size="s"
        type="search"
        label="Search lines and terminals"
        placeholder="Search lines, terminals, modules"
        with-clear
        @input=${(event: Event) => {
          this.#search = valueOf(event);
          this.requestUpdate();
        }}
      ></wa-input>
      <wa-button
        size="s"
        appearance="outlined"
        class="pause"
        aria-pressed=${store.paused ? 'true' : 'false'}
        @click=${() => {
          store.pause(!store.paused);
        }}
        >${icon(store.paused ? 'play' : 'pause', 16)} ${store.paused ? 'Go on' : 'Pause traffic'}</wa-button
      >
      <wa-button
        size="s"
        appearance="plain"
        class="colours"
        @click=${() => {
          setDark(!isDark());
          this.requestUpdate();
        }}
        >${icon(isDark() ? 'sun' : 'moon', 18)}
        <span class="visually-hidden">${isDark() ? 'Light colours' : 'Dark colours'}</span></wa-button
      >
    </header>`;
  }

  #absence(): TemplateResult | string {
    if (this.store.link !== 'gone') return '';
    return html`<p class="absence" role="alert">
      The emulator does not answer any more: what is shown is how it was. It is asked again every few seconds.
    </p>`;
  }

  #site(): TemplateResult {
    const all = found(this.store.state, this.#search);
    const shown = all.slice(0, MOST_LINES);
    const modules = foundModules(this.store.state, this.#search);
    const selected = this.#route.kind === 'terminal' ? this.#route.name : undefined;
    return html`${repeat(
      shown,
      ({ line }) => line.name,
      ({ line, terminals }) =>
        html`<line-card
          class=${terminals.length > MOST_BESIDE ? 'long' : ''}
          .store=${this.store}
          .line=${line}
          .terminals=${terminals}
          .selected=${selected}
        ></line-card>`,
    )}
    ${
      all.length > shown.length
        ? html`<p class="quiet">${all.length - shown.length} more: search for a line by its name.</p>`
        : ''
    }
    ${modules.length === 0 ? '' : html`<module-card .store=${this.store} .modules=${modules}></module-card>`}
    ${
      all.length + modules.length === 0 && this.store.link === 'live'
        ? html`<p class="quiet">Nothing is called like that.</p>`
        : ''
    }`;
  }

  #detail(): TemplateResult | undefined {
    const { store } = this;
    if (this.#route.kind === 'site' || store.link === 'connecting') return undefined;
    const { kind, name } = this.#route;
    if (kind === 'line') {
      const line = store.state.lines.get(name);
      return line && html`<line-view .store=${store} .line=${line}></line-view>`;
    }
    const terminal = store.state.terminals.get(name);
    return terminal && html`<terminal-view .store=${store} .terminal=${terminal}></terminal-view>`;
  }

  #refusal(): TemplateResult | string {
    const { refusal } = this.store;
    if (refusal === undefined) return '';
    return html`<wa-callout class="refusal" variant="danger" role="alert">
      <div class="row spread">
        <span>${refusal}</span>
        <wa-button
          size="s"
          appearance="plain"
          @click=${() => {
            this.store.dismiss();
          }}
          >${icon('close', 16)}<span class="visually-hidden">Dismiss</span></wa-button
        >
      </div>
    </wa-callout>`;
  }
}

customElements.define('front-panel', FrontPanel);
