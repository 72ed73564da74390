import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import { Part } from './part.ts';
import type { Details, Display, Terminal } from './shapes.ts';
import { shared } from './styles.ts';
import { valueOf } from './values.ts';

/** The buttons that only a portable terminal has, and what its display tells besides. */
export class PortableKeys extends Part {
  static override properties: PropertyDeclarations = {
    ...Part.properties,
    terminal: { attribute: false },
    details: { attribute: false },
  };
  static override styles = [
    shared,
    css`
      :host {
        display: grid;
        gap: 14px;
      }
      .log-in {
        display: grid;
        grid-template-columns: 1fr 1fr auto;
        gap: 10px;
        align-items: end;
      }
      .window {
        border-radius: 10px;
        padding: 10px 14px;
        background: var(--panel-sunk);
      }
    `,
  ];
  declare terminal: Terminal;
  declare details: Details | undefined;
  #operator = '';
  #pin = '';

  override render(): TemplateResult {
    const display = this.details?.display;
    if (display === undefined) return html`<p class="quiet">It is off.</p>`;
    return html`${windowOf(display)} ${display.operator === undefined ? this.#logIn(display) : ''}
      <div class="row" role="group" aria-label="Buttons">${this.#buttons(display)}</div>
      <p class="quiet small">
        ${display.unsent.length} unsent changes; ${display.tasks.length} tasks;
        ${display.online ? 'online' : 'offline'}.
      </p>`;
  }

  #logIn(display: Display): TemplateResult {
    const known = display.operators.map(({ id, name }) => `${id} ${name}`).join(', ');
    return html`<div class="log-in">
        <wa-input
          size="s"
          label="Operator"
          inputmode="numeric"
          @input=${(event: Event) => {
            this.#operator = valueOf(event);
          }}
        ></wa-input>
        <wa-input
          size="s"
          label="PIN"
          type="password"
          inputmode="numeric"
          autocomplete="off"
          @input=${(event: Event) => {
            this.#pin = valueOf(event);
          }}
        ></wa-input>
        <wa-button
          size="s"
          variant="brand"
          @click=${() => void this.#press('log-in', { operator: this.#operator, pin: this.#pin })}
          >Log in</wa-button
        >
      </div>
      <p class="quiet small">
        ${known === '' ? 'It knows no operators yet: they come from the gateway.' : `Operators: ${known}`}
      </p>`;
  }

  #buttons({ operator, mode, window }: Display): TemplateResult[] {
    const other = mode === 'online' ? 'offline' : 'online';
    return [
      ...(operator === undefined
        ? []
        : [
            this.#button('Log out', 'log-out'),
            this.#button(`Work ${other}`, 'mode', { mode: other }),
            this.#button('Synchronise', 'sync', { mode: 'synchronise' }),
            this.#button('Send', 'sync', { mode: 'send' }),
            this.#button('Download', 'sync', { mode: 'download' }),
          ]),
      ...(window === undefined
        ? []
        : [
            this.#button('Yes', 'confirm'),
            this.#button('Cancel sync', 'cancel'),
            this.#button('Close', 'close'),
          ]),
    ];
  }

  #button(label: string, action: string, given: object = {}): TemplateResult {
    return html`<wa-button size="s" appearance="outlined" @click=${() => void this.#press(action, given)}
      >${label}</wa-button
    >`;
  }

  async #press(action: string, given: object): Promise<void> {
    await this.store.act(`/terminals/${encodeURIComponent(this.terminal.name)}/${action}`, given);
    this.dispatchEvent(new Event('pressed', { bubbles: true, composed: true }));
  }
}

function windowOf({ window }: Display): TemplateResult | string {
  if (window === undefined) return '';
  if (window.kind !== 'progress') return html`<p class="window">${window.text}</p>`;
  const { stage, done, total, rate, left } = window;
  const counts = total === 0 ? '' : `: ${done} of ${total}`;
  const speed = rate === 0 ? '' : `, ${rate} bytes/s, ${left} s left`;
  return html`<p class="window">${stage}${counts}${speed}</p>`;
}

customElements.define('portable-keys', PortableKeys);
