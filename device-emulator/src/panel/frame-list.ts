import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { Part } from './part.ts';
import '@awesome.me/webawesome/dist/components/switch/switch.js';
import { shared } from './styles.ts';
import { isDelimiter } from './traffic.ts';
import type { FrameEvent } from './traffic.ts';
import { clockTime } from './values.ts';

const ROWS = 60;
const LOOK_MS = 250;

/** The last frames of a line, newest first; they stand still while the traffic is paused. */
export class FrameList extends Part {
  static override properties: PropertyDeclarations = {
    ...{ ...Part.properties, line: { attribute: false } },
    idle: { state: true },
  };
  static override styles = [
    shared,
    css`
      wa-switch {
        margin-bottom: 10px;
      }
      .scroll {
        max-height: 420px;
        overflow: auto;
        border: 1px solid var(--panel-line);
        border-radius: 10px;
        background: var(--panel-sunk);
      }
      table {
        border-collapse: collapse;
        width: 100%;
        font: 12.5px/1.5 var(--panel-mono);
      }
      th {
        position: sticky;
        top: 0;
        text-align: start;
        font-weight: 600;
        background: var(--panel-sunk);
        color: var(--panel-quiet);
      }
      th,
      td {
        padding: 3px 10px;
        white-space: nowrap;
      }
      .number {
        text-align: end;
      }
      @media (max-width: 640px) {
        table {
          font-size: 11px;
        }
        th,
        td {
          padding: 3px 6px;
        }
      }
      .damaged {
        color: var(--panel-bad);
      }
    `,
  ];
  declare line: string;
  /** Whether what a line says while nothing happens is listed, too. */
  declare idle: boolean;
  #request = 0;
  #lookedAt = 0;
  #newest = 0;

  constructor() {
    super();
    this.idle = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ask();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    cancelAnimationFrame(this.#request);
  }

  override render(): TemplateResult {
    const frames = this.store.traffic.get(this.line)?.newest(ROWS, this.idle) ?? [];
    return html`<wa-switch size="s" .checked=${this.idle} @change=${() => (this.idle = !this.idle)}
        >Invitations and delimiters, too</wa-switch
      >
      <div class="scroll" tabindex="0" role="region" aria-label="Last frames">
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Terminal</th>
              <th scope="col">Message</th>
              <th scope="col" class="number">Bytes</th>
            </tr>
          </thead>
          <tbody>
            ${frames.map(
              (frame) =>
                html`<tr class=${frame.form}>
                  <td>${clockTime(frame.time)}</td>
                  <td>${wayOf(frame)}</td>
                  <td>${contentOf(frame)}</td>
                  <td class="number">${frame.bytes}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`;
  }

  #ask(): void {
    this.#request = requestAnimationFrame((now) => {
      const newest = this.store.traffic.get(this.line)?.newest(1, this.idle)[0]?.id ?? 0;
      if (now - this.#lookedAt > LOOK_MS && newest !== this.#newest) {
        this.#lookedAt = now;
        this.#newest = newest;
        this.requestUpdate();
      }
      this.#ask();
    });
  }
}

function wayOf({ direction, terminal, address }: FrameEvent): string {
  const who = terminal ?? (address === 0 ? 'all' : address === null ? '–' : `address ${address}`);
  if (direction === null) return 'noise';
  return direction === 'to-terminal' ? `→ ${who}` : `← ${who}`;
}

/** Its name, or what can be seen of it. */
function contentOf(frame: FrameEvent): string {
  return frame.message ?? (isDelimiter(frame) ? 'delimiter' : frame.form);
}

customElements.define('frame-list', FrameList);
