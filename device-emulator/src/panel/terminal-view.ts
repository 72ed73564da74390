import { css, html } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import '@awesome.me/webawesome/dist/components/tab-group/tab-group.js';
import '@awesome.me/webawesome/dist/components/tab-panel/tab-panel.js';
import '@awesome.me/webawesome/dist/components/tab/tab.js';
import './fault-list.ts';
import { icon } from './icons.ts';
import './log-tab.ts';
import './people-tab.ts';
import './portable-keys.ts';
import { hrefOf } from './route.ts';
import './service-tab.ts';
import { activeAt } from './state.ts';
import { shared } from './styles.ts';
import './terminal-device.ts';
import { TerminalPart } from './terminal-part.ts';
import { valueOf } from './values.ts';

/** A terminal in full: its front, who stands before it, and all that can be done to it. */
export class TerminalView extends TerminalPart {
  static override styles = [
    shared,
    css`
      :host {
        container-type: inline-size;
      }
      article {
        padding: 18px 20px 22px;
        display: grid;
        gap: 18px;
      }
      .columns {
        display: grid;
        gap: 24px;
        grid-template-columns: minmax(0, 1fr);
      }
      @container (min-width: 700px) {
        .columns {
          grid-template-columns: minmax(280px, 340px) minmax(0, 1fr);
        }
        .front {
          position: sticky;
          top: 18px;
        }
      }
      .front {
        display: grid;
        gap: 16px;
        align-content: start;
        align-self: start;
      }
      .person {
        width: 100%;
        max-width: 330px;
        margin: 0 auto;
      }
      .back {
        display: inline-flex;
        align-items: center;
        gap: 4px;
        color: var(--panel-quiet);
      }
      wa-tab::part(base) {
        padding-inline: 12px;
      }
      wa-tab-panel::part(base) {
        padding: 16px 2px 0;
      }
    `,
  ];
  #asking = false;
  #stale = false;
  readonly #notice = (event: Event): void => {
    if (!(event instanceof CustomEvent)) return;
    const detail: unknown = event.detail;
    const isMine =
      typeof detail === 'object' &&
      detail !== null &&
      'terminal' in detail &&
      detail.terminal === this.terminal.name;
    if (isMine) void this.#ask();
  };

  readonly #askAnew = (): void => void this.#ask();

  override connectedCallback(): void {
    super.connectedCallback();
    this.store.addEventListener('happened', this.#notice);
    this.store.addEventListener('loaded', this.#askAnew);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.store.removeEventListener('happened', this.#notice);
    this.store.removeEventListener('loaded', this.#askAnew);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('terminal');
    if (changed.has('terminal') && before?.name !== this.terminal.name) {
      this.details = undefined;
      void this.#ask();
    }
  }

  override render(): TemplateResult {
    const { terminal, details, store } = this;
    const { name, line } = terminal;
    const faults = activeAt(store.state, name);
    return html`<article class="card" aria-label=${`Terminal ${name}`} @pressed=${() => void this.#ask()}>
      <div class="row spread">
        <div class="row">
          <a class="back" href="#/" aria-label="Back to the site">${icon('back')}</a>
          <h2>${name}</h2>
          <a class="chip" href=${hrefOf({ kind: 'line', name: line })}>on ${line}</a>
        </div>
        <div class="row">
          ${faults.map((fault) => html`<span class="chip bad">${icon('warning', 13)} ${fault}</span>`)}
          ${terminal.plugged ? '' : html`<span class="chip bad">off its line</span>`}
        </div>
      </div>
      <div class="columns">
        <div class="front">
          <terminal-device .store=${store} .terminal=${terminal} .details=${details}></terminal-device>
          ${this.#person()}
        </div>
        ${this.#tabs(faults.length)}
      </div>
    </article>`;
  }

  #person(): TemplateResult {
    const { person } = this.store;
    return html`<wa-input
      class="person"
      size="s"
      label="Who stands here"
      hint="Number of the user whose finger, card or face is shown. Empty: a stranger."
      inputmode="numeric"
      placeholder="a stranger"
      with-clear
      .value=${person === 0 ? '' : String(person)}
      @input=${(event: Event) => {
        const typed = Number(valueOf(event));
        this.store.setPerson(Number.isInteger(typed) && typed > 0 ? typed : 0);
      }}
    ></wa-input>`;
  }

  #tabs(faults: number): TemplateResult {
    const { terminal, details, store } = this;
    // Another set of tabs begins at its first one.
    return html`${keyed(
      terminal.portable,
      html`<wa-tab-group>
        ${terminal.portable ? html`<wa-tab panel="portable">Portable</wa-tab>` : ''}
        <wa-tab panel="people">People</wa-tab>
        <wa-tab panel="faults">Faults${faults > 0 ? ` (${faults})` : ''}</wa-tab>
        <wa-tab panel="service">Power and cable</wa-tab>
        <wa-tab panel="log">Log</wa-tab>
        ${
          terminal.portable
            ? html`<wa-tab-panel name="portable">
                <portable-keys .store=${store} .terminal=${terminal} .details=${details}></portable-keys>
              </wa-tab-panel>`
            : ''
        }
        <wa-tab-panel name="people">
          <people-tab .store=${store} .terminal=${terminal} .details=${details}></people-tab>
        </wa-tab-panel>
        <wa-tab-panel name="faults">
          <fault-list
            .store=${store}
            .on=${terminal.name}
            .faults=${store.state.faults.terminal}
          ></fault-list>
        </wa-tab-panel>
        <wa-tab-panel name="service">
          <service-tab .store=${store} .terminal=${terminal} .details=${details}></service-tab>
        </wa-tab-panel>
        <wa-tab-panel name="log"><log-tab .details=${details}></log-tab></wa-tab-panel>
      </wa-tab-group>`,
    )}`;
  }

  /** Asks for the details; what happens meanwhile makes it ask once more. */
  async #ask(): Promise<void> {
    this.#stale = true;
    if (this.#asking) return;
    this.#asking = true;
    while (this.#stale) {
      this.#stale = false;
      const { name } = this.terminal;
      const details = await this.store.details(name);
      if (name === this.terminal.name) this.details = details;
      else this.#stale = true;
    }
    this.#asking = false;
  }
}

customElements.define('terminal-view', TerminalView);
