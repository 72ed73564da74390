import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import '@awesome.me/webawesome/dist/components/switch/switch.js';
import { Part } from './part.ts';
import type { Module } from './shapes.ts';
import { shared } from './styles.ts';
import { valueOf } from './values.ts';

type Register = Module['registers'][number];

/** What a register is to an installer. */
const KINDS: Readonly<Record<string, string>> = {
  discrete: 'contact',
  coil: 'relay',
  input: 'measured',
  holding: 'setting',
};

/** Modules that speak Modbus: contacts to close, relays to see driven, what they measure. */
export class ModuleCard extends Part {
  static override properties: PropertyDeclarations = { ...Part.properties, modules: { attribute: false } };
  static override styles = [
    shared,
    css`
      section {
        padding: 16px 18px 18px;
        display: grid;
        gap: 12px;
      }
      .modules {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(260px, 100%), 1fr));
        gap: 12px;
        align-items: start;
      }
      article {
        display: grid;
        gap: 10px;
        padding: 12px 14px;
        border: 1px solid var(--panel-line);
        border-radius: 11px;
        background: linear-gradient(var(--panel-body-top), var(--panel-body-bottom));
      }
      li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        align-items: center;
        gap: 4px 10px;
        min-height: 34px;
      }
      .lamp {
        width: 11px;
        height: 11px;
        border-radius: 50%;
        border: 1px solid var(--panel-quiet);
      }
      .lamp.on {
        background: var(--panel-good);
        border-color: var(--panel-good);
        box-shadow: 0 0 0 3px color-mix(in srgb, var(--panel-good) 25%, transparent);
      }
      .none {
        visibility: hidden;
      }
      .number {
        width: 104px;
      }
      .number::part(label) {
        position: absolute;
        clip-path: inset(50%);
      }
      .off ul {
        opacity: 0.5;
      }
    `,
  ];
  declare modules: readonly Module[];

  override render(): TemplateResult {
    return html`<section class="card" aria-label="Modbus modules">
      <div class="row spread">
        <h2>Modbus modules</h2>
        <span class="quiet small">Contacts are yours to close; relays are the gateway’s to drive.</span>
      </div>
      <div class="modules">
        ${repeat(
          this.modules,
          ({ name }) => name,
          (module) => this.#module(module),
        )}
      </div>
    </section>`;
  }

  #module(module: Module): TemplateResult {
    const { name, unit, alive, registers } = module;
    return html`<article class=${alive ? '' : 'off'} aria-label=${`Module ${name}`}>
      <div class="row spread">
        <h3>${name} <span class="quiet small">unit ${unit}</span></h3>
        <wa-switch
          size="s"
          .checked=${alive}
          @change=${() => void this.#act(module, alive ? 'power-off' : 'power-on', {})}
          >Power<span class="visually-hidden"> of ${name}</span></wa-switch
        >
      </div>
      <ul>
        ${repeat(
          registers,
          (register) => register.name,
          (register) => this.#register(module, register),
        )}
      </ul>
    </article>`;
  }

  #register(module: Module, register: Register): TemplateResult {
    const { name, kind, value } = register;
    const isBit = kind === 'coil' || kind === 'discrete';
    return html`<li>
      <span class="lamp ${isBit ? (value === 1 ? 'on' : '') : 'none'}"></span>
      <span
        >${name} <span class="quiet small">${isBit && name === KINDS[kind] ? '' : KINDS[kind]}</span></span
      >
      ${
        isBit
          ? html`<wa-switch
              size="s"
              .checked=${value === 1}
              @change=${() => void this.#act(module, 'set', { register: name, value: 1 - value })}
              ><span class="visually-hidden">${module.name}: ${name}</span></wa-switch
            >`
          : html`<wa-input
              class="number"
              size="s"
              type="number"
              min="0"
              max="65535"
              label=${`${module.name}: ${name}`}
              .value=${String(value)}
              @change=${(event: Event) =>
                void this.#act(module, 'set', { register: name, value: valueOf(event) })}
            ></wa-input>`
      }
    </li>`;
  }

  async #act({ name }: Module, action: string, given: object): Promise<void> {
    await this.store.act(`/modules/${encodeURIComponent(name)}/${action}`, given);
    // What was refused is shown as it is.
    this.requestUpdate();
  }
}

customElements.define('module-card', ModuleCard);
