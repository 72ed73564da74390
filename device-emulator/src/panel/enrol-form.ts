import { css, html } from 'lit';
import type { TemplateResult } from 'lit';
import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import '@awesome.me/webawesome/dist/components/option/option.js';
import '@awesome.me/webawesome/dist/components/select/select.js';
import { z } from 'zod';
import type { Details } from './shapes.ts';
import { shared } from './styles.ts';
import { TerminalPart } from './terminal-part.ts';
import { valueOf } from './values.ts';

const begun = z.object({ user: z.number() });

/** Begins an enrolment at a terminal's menu; the reader is then pressed as often as it asks. */
export class EnrolForm extends TerminalPart {
  static override styles = [
    shared,
    css`
      .form {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(150px, 100%), 1fr));
        gap: 12px;
        align-items: end;
      }
      .under-way {
        background: var(--panel-brand-soft);
        border-radius: 10px;
        padding: 10px 14px;
      }
    `,
  ];
  #user = '';
  #name = '';
  #credential = '';

  override render(): TemplateResult {
    const { enrolment } = this.terminal;
    if (enrolment !== null)
      return html`<div class="under-way row spread">
        <p>
          User ${enrolment.user}, ${enrolment.credential}: reading ${enrolment.reading + 1} of
          ${enrolment.readings}. Press the reader.
        </p>
        <wa-button size="s" appearance="outlined" @click=${() => void this.#cancel()}>Give up</wa-button>
      </div>`;
    return html`<div class="form" role="group" aria-label="Enrol">
      <wa-input
        size="s"
        label="User"
        inputmode="numeric"
        placeholder="next free"
        @input=${(event: Event) => {
          this.#user = valueOf(event);
        }}
      ></wa-input>
      <wa-input
        size="s"
        label="Name"
        placeholder="as the display shows it"
        @input=${(event: Event) => {
          this.#name = valueOf(event);
        }}
      ></wa-input>
      <wa-select
        size="s"
        label="What"
        placeholder="next vacant"
        with-clear
        @change=${(event: Event) => {
          this.#credential = valueOf(event);
        }}
      >
        ${credentialsOf(this.details).map(
          ({ value, label }) => html`<wa-option value=${value}>${label}</wa-option>`,
        )}
      </wa-select>
      <wa-button size="s" variant="brand" @click=${() => void this.#begin()}> Begin enrolment </wa-button>
    </div>`;
  }

  async #begin(): Promise<void> {
    const [kind, slot] = this.#credential.split('.');
    const answer = await this.act('enrol-begin', {
      ...(this.#user === '' ? {} : { user: this.#user }),
      ...(this.#name === '' ? {} : { name: this.#name }),
      ...(kind && slot ? { [kind]: slot } : {}),
    });
    const known = begun.safeParse(answer);
    if (known.success) this.store.setPerson(known.data.user);
  }

  async #cancel(): Promise<void> {
    await this.act('enrol-cancel');
  }
}

function credentialsOf(
  details: Details | undefined,
): readonly { readonly value: string; readonly label: string }[] {
  if (details === undefined) return [];
  const { fingers, cards, faces } = details.capabilities;
  const some = (kind: string, label: string, count: number): { value: string; label: string }[] =>
    Array.from({ length: count }, (_, slot) => ({ value: `${kind}.${slot}`, label: `${label} ${slot}` }));
  return [
    ...some('finger', 'Finger', fingers),
    ...some('card', 'Card', cards),
    ...some('face', 'Face', faces),
  ];
}

customElements.define('enrol-form', EnrolForm);
