import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import '@awesome.me/webawesome/dist/components/switch/switch.js';
import { givenOf, parametersOf, sought } from './fault-form.ts';
import { Part } from './part.ts';
import type { Fault } from './shapes.ts';
import { activeAt } from './state.ts';
import { shared } from './styles.ts';
import { valueOf } from './values.ts';

/** All that can go wrong with a line or a terminal: each with what it looks like in the field, and a switch. */
export class FaultList extends Part {
  static override properties: PropertyDeclarations = {
    ...Part.properties,
    on: { attribute: false },
    faults: { attribute: false },
    search: { state: true },
  };
  static override styles = [
    shared,
    css`
      :host {
        display: grid;
        gap: 12px;
      }
      li {
        display: grid;
        gap: 6px;
        padding: 13px 2px;
        border-top: 1px solid var(--panel-line);
      }
      li:first-child {
        border-top: 0;
      }
      li.on {
        background: var(--panel-bad-soft);
        border-radius: 10px;
        border-color: transparent;
        padding-inline: 12px;
      }
      .title {
        font-weight: 600;
      }
      .parameters {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(180px, 100%), 1fr));
        gap: 10px;
        margin-top: 8px;
      }
      summary {
        cursor: pointer;
        color: var(--panel-brand);
        width: fit-content;
      }
      wa-switch {
        --wa-form-control-activated-color: #c02b36;
      }
    `,
  ];
  declare on: string;
  declare faults: readonly Fault[];
  declare search: string;
  readonly #typed = new Map<string, Map<string, string>>();

  constructor() {
    super();
    this.search = '';
  }

  override render(): TemplateResult {
    const active = activeAt(this.store.state, this.on);
    const shown = sought(this.faults, this.search, active);
    return html`<wa-input
        type="search"
        size="s"
        label="Search faults"
        placeholder="noise, slow, power …"
        with-clear
        .value=${this.search}
        @input=${(event: Event) => {
          this.search = valueOf(event);
        }}
      ></wa-input>
      <ul>
        ${repeat(
          shown,
          ({ name }) => name,
          (fault) => this.#row(fault, active.includes(fault.name)),
        )}
      </ul>
      ${shown.length === 0 ? html`<p class="quiet">No fault is like that.</p>` : ''}`;
  }

  #row(fault: Fault, isOn: boolean): TemplateResult {
    return html`<li class=${isOn ? 'on' : ''}>
      <div class="row spread">
        ${
          fault.lasts
            ? html`<wa-switch
                size="s"
                .checked=${isOn}
                @change=${(event: Event) => void this.#turn(fault, event)}
              >
                <span class="title">${fault.name}</span>
              </wa-switch>`
            : html`<span class="title">${fault.name}</span>
                <wa-button size="s" appearance="outlined" @click=${() => void this.#begin(fault)}>
                  Make it happen<span class="visually-hidden">: ${fault.name}</span>
                </wa-button>`
        }
      </div>
      <p>${sentence(fault.doc)}</p>
      <p class="quiet small">${fault.field}</p>
      <p class="quiet small">
        At the gateway within ${fault.noticed.withinMs / 1000} s: ${fault.noticed.as}. All is well within
        ${fault.wellMs / 1000} s of its end.
      </p>
      ${this.#parameters(fault)}
    </li>`;
  }

  #parameters(fault: Fault): TemplateResult {
    const typed = this.#typedFor(fault);
    return html`<details>
      <summary class="small" aria-label=${`Parameters of ${fault.name}`}>Parameters</summary>
      <div class="parameters">
        ${parametersOf(fault).map(
          ({ name, help, unless }) =>
            html`<wa-input
              size="s"
              label=${name}
              hint=${help}
              placeholder=${unless}
              @input=${(event: Event) => typed.set(name, valueOf(event))}
            ></wa-input>`,
        )}
      </div>
    </details>`;
  }

  #typedFor({ name }: Fault): Map<string, string> {
    const typed = this.#typed.get(name) ?? new Map<string, string>();
    this.#typed.set(name, typed);
    return typed;
  }

  async #turn(fault: Fault, { target }: Event): Promise<void> {
    if (!(target instanceof HTMLElement) || !('checked' in target)) return;
    if (target.checked === true) {
      await this.#begin(fault);
      // It stays on only when the fault has begun; why it has not is told.
      if (this.store.refusal !== undefined) target.checked = false;
    } else await this.store.act(this.#path(fault), {}, 'DELETE');
  }

  async #begin(fault: Fault): Promise<void> {
    await this.store.act(this.#path(fault), givenOf(this.#typedFor(fault)));
  }

  #path({ name }: Fault): string {
    return `/faults/${encodeURIComponent(this.on)}/${name}`;
  }
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

customElements.define('fault-list', FaultList);
