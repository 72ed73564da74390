import { css, html, LitElement } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import type { Details } from './shapes.ts';
import { shared } from './styles.ts';
import { clockTime } from './values.ts';

/** The newest records of a terminal's log, newest first, by its own clock. */
export class LogTab extends LitElement {
  static override properties: PropertyDeclarations = { details: { attribute: false } };
  static override styles = [
    shared,
    css`
      .scroll {
        max-height: 520px;
        overflow: auto;
      }
      table {
        border-collapse: collapse;
        width: 100%;
        font-size: 0.9rem;
      }
      th {
        text-align: start;
        font-weight: 500;
        color: var(--panel-quiet);
      }
      th,
      td {
        padding: 6px 12px 6px 0;
        border-bottom: 1px solid var(--panel-line);
        font-variant-numeric: tabular-nums;
      }
    `,
  ];
  declare details: Details | undefined;

  override render(): TemplateResult {
    const logs = this.details?.logs?.toReversed() ?? [];
    if (logs.length === 0) return html`<p class="quiet">Its log is empty.</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label="Log">
      <table>
        <thead>
          <tr>
            <th scope="col">No.</th>
            <th scope="col">Its time</th>
            <th scope="col">What</th>
            <th scope="col">User</th>
          </tr>
        </thead>
        <tbody>
          ${logs.map(
            ({ id, time, kind, origin, user }) =>
              html`<tr>
                <td>${id}</td>
                <td>${clockTime(time)}</td>
                <td>${kind}${origin === 'gateway' ? ' (gateway)' : ''}</td>
                <td>${user === 0 ? '' : user}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

customElements.define('log-tab', LogTab);
