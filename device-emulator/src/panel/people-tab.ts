import { css, html } from 'lit';
import type { TemplateResult } from 'lit';
import '@awesome.me/webawesome/dist/components/button/button.js';
import './enrol-form.ts';
import { shared } from './styles.ts';
import { TerminalPart } from './terminal-part.ts';

/** Users listed at once. */
const MOST = 100;

/** Who is held at a terminal, and enrolment. */
export class PeopleTab extends TerminalPart {
  static override styles = [
    shared,
    css`
      :host {
        display: grid;
        gap: 18px;
      }
      section {
        display: grid;
        gap: 10px;
      }
      .held {
        max-height: 460px;
        overflow: auto;
        /* What is hidden in it from who sees scrolls with it, and does not make the page longer. */
        position: relative;
      }
      li {
        display: flex;
        justify-content: space-between;
        align-items: center;
        gap: 10px;
        padding: 7px 0;
        border-top: 1px solid var(--panel-line);
      }
      li:first-child {
        border-top: 0;
      }
    `,
  ];

  override render(): TemplateResult {
    const ids = Object.keys(this.details?.digests ?? {});
    return html`<section>
        <h3>Enrol</h3>
        <enrol-form .store=${this.store} .terminal=${this.terminal} .details=${this.details}></enrol-form>
      </section>
      <section>
        <h3>Held here</h3>
        ${
          ids.length === 0
            ? html`<p class="quiet">Nobody yet.</p>`
            : html`<ul class="held" tabindex="0" aria-label="Held here">
                ${ids
                  .slice(-MOST)
                  .reverse()
                  .map((id) => this.#user(id))}
              </ul>`
        }
        ${
          ids.length > MOST
            ? html`<p class="quiet small">and ${ids.length - MOST} more with lower numbers</p>`
            : ''
        }
      </section>`;
  }

  #user(id: string): TemplateResult {
    return html`<li>
      <span>User <strong>${id}</strong></span>
      <span class="row">
        <wa-button
          size="s"
          appearance="plain"
          @click=${() => {
            this.store.setPerson(Number(id));
          }}
          >Be this user<span class="visually-hidden"> ${id}</span></wa-button
        >
        <wa-button
          size="s"
          appearance="plain"
          variant="danger"
          @click=${() => void this.act('delete', { user: id })}
          >Delete<span class="visually-hidden"> user ${id}</span></wa-button
        >
      </span>
    </li>`;
  }
}

customElements.define('people-tab', PeopleTab);
