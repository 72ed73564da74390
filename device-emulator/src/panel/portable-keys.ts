import { css, html } from 'lit';
import type { TemplateResult } from 'lit';
import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import type { Display } from './shapes.ts';
import { shared } from './styles.ts';
import { TerminalPart } from './terminal-part.ts';
import { valueOf } from './values.ts';

/** The buttons that only a portable terminal has, and what its display tells besides. */
export class PortableKeys extends TerminalPart {
  static override styles = [
    shared,
    css`
      :host {
        display: grid;
        gap: 14px;
      }
      .log-in {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) auto;
        gap: 10px;
        align-items: end;
      }
      .window {
        border-radius: 10px;
        padding: 10px 14px;
        background: var(--panel-sunk);
      }
      .green {
        color: var(--panel-good);
        font-weight: 600;
      }
      .red {
        color: var(--panel-bad);
        background: var(--panel-bad-soft);
        font-weight: 600;
      }
    `,
  ];
  #operator = '';
  #pin = '';

  override render(): TemplateResult {
    const display = this.details?.display;
    if (display === undefined) return html`<p class="quiet">It is off.</p>`;
    return html`${windowOf(display)} ${display.operator === undefined ? this.#logIn(display) : ''}
      <div class="row" role="group" aria-label="Buttons">${this.#buttons(display)}</div>
      <p class="quiet small">
        ${display.online ? 'Online' : 'Offline'}. Unsent changes: ${display.unsent.length}. Tasks:
        ${display.tasks.map(({ name }) => name).join(', ') || 'none'}.
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
          @click=${() => void this.act('log-in', { operator: this.#operator, pin: this.#pin })}
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
      ...(window === undefined ? [] : this.#answers(window)),
    ];
  }

  /** What can be said to the window in front. */
  #answers({ kind }: NonNullable<Display['window']>): TemplateResult[] {
    if (kind === 'progress') return [this.#button('Cancel sync', 'cancel')];
    const close = this.#button('Close', 'close');
    return kind === 'message' ? [close] : [this.#button('Yes', 'confirm'), close];
  }

  #button(label: string, action: string, given: object = {}): TemplateResult {
    return html`<wa-button size="s" appearance="outlined" @click=${() => void this.act(action, given)}
      >${label}</wa-button
    >`;
  }
}

function windowOf({ window }: Display): TemplateResult | string {
  if (window === undefined) return '';
  if (window.kind === 'message')
    return html`<p class="window ${window.colour}" role="status">${window.text}</p>`;
  if (window.kind !== 'progress') return html`<p class="window" role="status">${window.text}</p>`;
  const { stage, done, total, rate, left } = window;
  const counts = total === 0 ? '' : `: ${done} of ${total}`;
  const speed = rate === 0 ? '' : `, ${rate} bytes/s, ${left} s left`;
  return html`<p class="window">${stage}${counts}${speed}</p>`;
}

customElements.define('portable-keys', PortableKeys);
