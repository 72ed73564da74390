import { css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { icon } from './icons.ts';
import { leds, shared } from './styles.ts';
import { TerminalPart } from './terminal-part.ts';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const KEY_NAMES: Readonly<Record<string, string>> = { '*': 'Star: take back', '#': 'Hash: enter' };

/** A terminal as it hangs on its wall: display, light, readers, keypad and the relay of its door. */
export class TerminalDevice extends TerminalPart {
  static override styles = [
    shared,
    leds,
    css`
      .body {
        max-width: 330px;
        margin: 0 auto;
        padding: 20px;
        border-radius: 28px;
        border: 1px solid var(--panel-line);
        background: linear-gradient(160deg, var(--panel-body-top), var(--panel-body-bottom));
        box-shadow:
          var(--panel-shadow),
          inset 0 1px 0 rgb(255 255 255 / 12%);
        display: grid;
        gap: 16px;
      }
      .light {
        height: 5px;
        width: 34%;
        margin: 0 auto;
        border-radius: 9px;
        background: var(--led);
        box-shadow: 0 0 16px 4px var(--glow);
        transition: background 120ms;
      }
      .glass {
        background: var(--panel-glass);
        color: var(--panel-ink);
        border-radius: 14px;
        padding: 14px 16px;
        font: 15px/1.55 var(--panel-mono);
        min-height: 121px;
        box-shadow:
          inset 0 0 0 1px rgb(255 255 255 / 6%),
          inset 0 6px 22px rgb(0 0 0 / 45%);
      }
      .glass div {
        white-space: pre;
        overflow: hidden;
        text-overflow: ellipsis;
        min-height: 1.55em;
      }
      .glass div:first-child {
        font-weight: 600;
      }
      .off .glass {
        color: transparent;
      }
      button {
        font: inherit;
        color: inherit;
        cursor: pointer;
        border: 1px solid var(--panel-line);
        background: var(--panel-card);
        border-radius: 12px;
        transition:
          transform 80ms,
          box-shadow 120ms,
          border-color 120ms;
      }
      button:hover {
        border-color: var(--panel-brand);
      }
      button:active {
        transform: scale(0.97);
      }
      .readers {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 12px;
        align-items: stretch;
      }
      .readers.cards {
        grid-template-columns: 1fr;
      }
      .pad {
        width: 116px;
        height: 116px;
        border-radius: 24px;
        color: var(--panel-quiet);
        display: grid;
        place-items: center;
        background: radial-gradient(circle at 50% 40%, var(--panel-card), var(--panel-sunk));
      }
      .wanted {
        color: var(--panel-brand);
        border-color: var(--panel-brand);
        box-shadow: 0 0 0 4px var(--panel-brand-soft);
      }
      .fields {
        display: grid;
        gap: 10px;
      }
      .field {
        display: flex;
        align-items: center;
        justify-content: center;
        gap: 9px;
        padding: 10px;
        min-height: 52px;
        font-weight: 500;
      }
      .keys {
        display: grid;
        grid-template-columns: repeat(3, 1fr);
        gap: 8px;
      }
      .key {
        padding: 9px 0;
        font-size: 1.05rem;
        font-weight: 500;
        font-variant-numeric: tabular-nums;
      }
      .foot {
        display: flex;
        justify-content: space-between;
        gap: 8px;
        flex-wrap: wrap;
        align-items: center;
      }
      .dock {
        display: inline-flex;
        align-items: center;
        gap: 7px;
        padding: 6px 12px;
      }
      .door {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        transition: color 150ms;
      }
      .door.open {
        color: var(--panel-good);
        font-weight: 600;
      }
      @media (prefers-reduced-motion: reduce) {
        * {
          transition: none;
        }
      }
    `,
  ];

  override render(): TemplateResult {
    const { name, lines, led, power, released, model, portable } = this.terminal;
    return html`<section class="body ${power === 'off' ? 'off' : ''}" aria-label=${`Front of ${name}`}>
      <div class="light" data-led=${led} role="img" aria-label=${`Light: ${led}`}></div>
      <div class="glass" role="status" aria-label="Display">
        ${lines.map((line) => html`<div>${line}</div>`)}
      </div>
      ${this.#readers()} ${this.#keypad()}
      <div class="foot small quiet">
        <span>${model}</span>
        ${portable ? this.#dock() : doorOf(released)}
      </div>
    </section>`;
  }

  #readers(): TemplateResult | string {
    const can = this.details?.capabilities;
    if (can === undefined) return '';
    const wanted = this.terminal.enrolment?.credential.split('.')[0];
    const field = (kind: 'card' | 'face', label: string): TemplateResult =>
      html`<button class="field ${wanted === kind ? 'wanted' : ''}" @click=${() => void this.#show(kind)}>
        ${icon(kind)} ${label}
      </button>`;
    return html`<div class="readers ${can.fingers > 0 ? '' : 'cards'}">
      ${
        can.fingers > 0
          ? html`<button
              class="pad ${wanted === 'finger' ? 'wanted' : ''}"
              aria-label="Press the finger"
              @click=${() => void this.#show('finger')}
            >
              ${icon('finger', 68)}
            </button>`
          : ''
      }
      <div class="fields">
        ${can.cards > 0 ? field('card', 'Card') : ''} ${can.faces > 0 ? field('face', 'Face') : ''}
      </div>
    </div>`;
  }

  #dock(): TemplateResult {
    const { docked } = this.terminal;
    return html`<button class="dock" @click=${() => void this.act(docked ? 'undock' : 'dock')}>
      ${icon('dock', 18)} ${docked ? 'Take out of dock' : 'Put into dock'}
    </button>`;
  }

  #keypad(): TemplateResult {
    return html`<div class="keys" role="group" aria-label="Keypad">
      ${KEYS.map(
        (key) =>
          html`<button class="key" aria-label=${KEY_NAMES[key] ?? key} @click=${() => void this.#type(key)}>
            ${key}
          </button>`,
      )}
    </div>`;
  }

  async #show(kind: 'finger' | 'card' | 'face'): Promise<void> {
    const { person } = this.store;
    await this.act(kind, person === 0 ? {} : { user: person });
  }

  async #type(keys: string): Promise<void> {
    await this.act('keys', { keys });
  }
}

function doorOf(released: boolean): TemplateResult {
  return html`<span class="door ${released ? 'open' : ''}">
    ${icon(released ? 'doorOpen' : 'door', 18)} ${released ? 'Door released' : 'Door locked'}
  </span>`;
}

customElements.define('terminal-device', TerminalDevice);
