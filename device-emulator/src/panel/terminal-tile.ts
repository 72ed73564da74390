import { css, html, LitElement } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { icon } from './icons.ts';
import { hrefOf } from './route.ts';
import type { Terminal } from './shapes.ts';
import { leds, shared } from './styles.ts';

/** A terminal in small: its display, its light, and what is wrong with it. */
export class TerminalTile extends LitElement {
  static override properties: PropertyDeclarations = {
    terminal: { attribute: false },
    faults: { attribute: false },
    selected: { type: Boolean, reflect: true },
  };
  static override styles = [
    shared,
    leds,
    css`
      a {
        display: grid;
        align-content: start;
        gap: 7px;
        padding: 9px;
        border-radius: 11px;
        border: 1px solid var(--panel-line);
        background: linear-gradient(var(--panel-body-top), var(--panel-body-bottom));
        transition: box-shadow 120ms;
        height: 100%;
      }
      a:hover {
        box-shadow: var(--panel-shadow);
        border-color: var(--panel-quiet);
      }
      :host([selected]) a {
        border-color: var(--panel-brand);
        box-shadow: 0 0 0 1px var(--panel-brand);
      }
      .head {
        display: flex;
        align-items: center;
        gap: 7px;
        font-weight: 600;
        font-size: 0.87rem;
        min-width: 0;
      }
      .name {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .led {
        flex: none;
        width: 9px;
        height: 9px;
        border-radius: 50%;
        background: var(--led);
        box-shadow: 0 0 0 3px var(--glow);
      }
      .glass {
        background: var(--panel-glass);
        color: var(--panel-ink);
        font: 11px/1.45 var(--panel-mono);
        border-radius: 6px;
        padding: 5px 8px;
        height: 42px;
        overflow: hidden;
        white-space: pre;
        text-overflow: ellipsis;
      }
      .glass div {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .state {
        display: flex;
        gap: 4px;
        flex-wrap: wrap;
        align-items: flex-start;
        min-height: 22px;
      }
      .state .chip:not(.bad) {
        background: var(--panel-card);
      }
    `,
  ];
  declare terminal: Terminal;
  declare faults: readonly string[];
  declare selected: boolean;

  override render(): TemplateResult {
    const { name, lines: rows, led, released, power, plugged, users, docked, portable } = this.terminal;
    const lines = rows.filter((line) => line !== '').slice(0, 2);
    const notes = [
      ...(power === 'on' ? [] : [power]),
      ...(plugged || portable ? [] : ['unplugged']),
      ...(portable ? [docked ? 'docked' : 'carried'] : []),
      ...(released ? ['door open'] : []),
    ];
    return html`<a
      href=${hrefOf({ kind: 'terminal', name })}
      aria-current=${this.selected ? 'true' : 'false'}
    >
      <span class="head" data-led=${led}> <span class="led"></span><span class="name">${name}</span> </span>
      <span class="glass">${lines.map((line) => html`<div>${line}</div>`)}</span>
      <span class="state">
        ${
          this.faults.length > 0
            ? html`<span class="chip bad">${icon('warning', 13)} ${this.faults.join(', ')}</span>`
            : ''
        }
        ${notes.map((note) => html`<span class="chip">${note}</span>`)}
        ${users === null ? '' : html`<span class="chip">${users} ${users === 1 ? 'user' : 'users'}</span>`}
      </span>
    </a>`;
  }
}

customElements.define('terminal-tile', TerminalTile);
