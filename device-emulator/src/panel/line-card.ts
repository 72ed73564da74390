import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { icon } from './icons.ts';
import { Part } from './part.ts';
import { hrefOf } from './route.ts';
import type { Line, Terminal } from './shapes.ts';
import { activeAt } from './state.ts';
import { shared } from './styles.ts';
import './terminal-tile.ts';
import './wire-view.ts';

/** Terminals of a line that are drawn at once; a search finds the others. */
const MOST_TILES = 64;

/** A line with its traffic, and its terminals in small. */
export class LineCard extends Part {
  static override properties: PropertyDeclarations = {
    ...Part.properties,
    line: { attribute: false },
    terminals: { attribute: false },
    selected: { attribute: false },
  };
  static override styles = [
    shared,
    css`
      section {
        padding: 16px 18px 18px;
        display: grid;
        gap: 10px;
      }
      h2 a:hover {
        color: var(--panel-brand);
      }
      .tiles {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(144px, 100%), 1fr));
        gap: 10px;
      }
      .place {
        overflow-wrap: anywhere;
      }
    `,
  ];
  declare line: Line;
  declare terminals: readonly Terminal[];
  declare selected: string | undefined;

  override render(): TemplateResult {
    const { line, terminals, store, selected } = this;
    const faults = activeAt(store.state, line.name);
    const shown = terminals.slice(0, MOST_TILES);
    return html`<section class="card" aria-label=${`Line ${line.name}`}>
      <div class="row spread">
        <h2><a href=${hrefOf({ kind: 'line', name: line.name })}>${line.name}</a></h2>
        <div class="row">
          ${faults.map((fault) => html`<span class="chip bad">${icon('warning', 13)} ${fault}</span>`)}
          ${line.plugged ? '' : html`<span class="chip bad">${icon('plug', 13)} unplugged</span>`}
          <span class="chip">${mediumOf(line)}</span>
        </div>
      </div>
      <wire-view .store=${store} .line=${line} .selected=${selected}></wire-view>
      <div class="tiles">
        ${repeat(
          shown,
          ({ name }) => name,
          (terminal) =>
            html`<terminal-tile
              .terminal=${terminal}
              .faults=${activeAt(store.state, terminal.name)}
              ?selected=${terminal.name === selected}
            ></terminal-tile>`,
        )}
      </div>
      ${
        terminals.length > shown.length
          ? html`<p class="quiet small">${terminals.length - shown.length} more: search for them by name.</p>`
          : ''
      }
    </section>`;
  }
}

/** What a line is made of, in a few words. */
export function mediumOf({ baud }: Line): string {
  return baud === null ? 'TCP' : `${baud.toLocaleString('en')} baud`;
}

customElements.define('line-card', LineCard);
