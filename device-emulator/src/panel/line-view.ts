import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import '@awesome.me/webawesome/dist/components/switch/switch.js';
import './fault-list.ts';
import './frame-list.ts';
import { icon } from './icons.ts';
import { mediumOf } from './line-card.ts';
import { Part } from './part.ts';
import type { Line } from './shapes.ts';
import { shared } from './styles.ts';
import './wire-view.ts';

/** What a dot on the wire is, by the colour that it has. */
const LEGEND = [
  ['sealed', 'sealed frame'],
  ['plain', 'plain frame'],
  ['short', 'invitation, answer to it, or delimiter'],
  ['damaged', 'damaged'],
] as const;

/** A line in full: what crosses it, its cable, and what can go wrong with it. */
export class LineView extends Part {
  static override properties: PropertyDeclarations = { ...Part.properties, line: { attribute: false } };
  static override styles = [
    shared,
    css`
      article {
        padding: 18px 20px 22px;
        display: grid;
        gap: 20px;
      }
      section {
        display: grid;
        gap: 10px;
      }
      .back {
        display: inline-flex;
        color: var(--panel-quiet);
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 16px;
        margin-top: 8px;
      }
      .dot {
        display: inline-block;
        width: 8px;
        height: 8px;
        border-radius: 50%;
        margin-inline-end: 6px;
      }
      .sealed {
        background: var(--panel-brand);
      }
      .plain {
        background: var(--panel-warn);
      }
      .short {
        background: var(--panel-quiet);
      }
      .damaged {
        background: var(--panel-bad);
      }
      .place {
        overflow-wrap: anywhere;
      }
    `,
  ];
  declare line: Line;

  override render(): TemplateResult {
    const { line, store } = this;
    const { name, place, plugged, baud } = line;
    const faults = store.state.faults.line.filter(({ wire }) => !wire || baud !== null);
    return html`<article class="card" aria-label=${`Line ${name} in full`}>
      <div class="row spread">
        <div class="row">
          <a class="back" href="#/" aria-label="Back to the site">${icon('back')}</a>
          <h2>${name}</h2>
          <span class="chip">${mediumOf(line)}</span>
        </div>
        <wa-switch size="s" .checked=${plugged} @change=${() => void this.#turn()}
          >Cable plugged in</wa-switch
        >
      </div>
      <p class="quiet small place">${place}</p>
      <div>
        <wire-view .store=${store} .line=${line}></wire-view>
        <ul class="legend quiet small" aria-label="What the wire shows">
          ${LEGEND.map(([form, text]) => html`<li><span class="dot ${form}"></span>${text}</li>`)}
          <li>bars: bytes of the last 12 s, a slot of 0.2 s each; red: damaged</li>
          <li>→ from the gateway, ← to it</li>
        </ul>
      </div>
      <section>
        <h3>Last frames</h3>
        <frame-list .store=${store} .line=${name}></frame-list>
      </section>
      <section>
        <h3>What can go wrong with a line</h3>
        <fault-list .store=${store} .on=${name} .faults=${faults}></fault-list>
      </section>
    </article>`;
  }

  async #turn(): Promise<void> {
    const { name, plugged } = this.line;
    await this.store.act(`/lines/${encodeURIComponent(name)}/${plugged ? 'unplug-line' : 'plug-line'}`);
    this.requestUpdate();
  }
}

customElements.define('line-view', LineView);
