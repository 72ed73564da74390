import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/switch/switch.js';
import { Part } from './part.ts';
import type { Details, Terminal } from './shapes.ts';
import { shared } from './styles.ts';

interface Turn {
  readonly label: string;
  readonly hint: string;
  readonly isOn: boolean;
  readonly on: string;
  readonly off: string;
}

interface Push {
  readonly label: string;
  readonly action: string;
  readonly risky?: boolean;
}

const PUSHES: readonly Push[] = [
  { label: 'Pair', action: 'pair' },
  { label: 'Restart', action: 'reboot' },
  { label: 'Open housing', action: 'tamper' },
  { label: 'Clear log', action: 'clear-log', risky: true },
  { label: 'Factory reset', action: 'factory-reset', risky: true },
];

/** Power, cable, dock, and what an installer finds in a terminal's menu. */
export class ServiceTab extends Part {
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
        gap: 18px;
      }
      .turns {
        display: grid;
        gap: 14px;
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 5px 18px;
      }
      dt {
        color: var(--panel-quiet);
      }
      dd {
        overflow-wrap: anywhere;
      }
    `,
  ];
  declare terminal: Terminal;
  declare details: Details | undefined;

  override render(): TemplateResult {
    return html`<div class="turns">
        ${turnsOf(this.terminal).map(
          ({ label, hint, isOn, on, off }) =>
            html`<wa-switch
              size="s"
              .checked=${isOn}
              hint=${hint}
              @change=${() => void this.#act(isOn ? off : on)}
              >${label}</wa-switch
            >`,
        )}
      </div>
      <div class="row" role="group" aria-label="Menu">
        ${PUSHES.map(
          ({ label, action, risky }) =>
            html`<wa-button
              size="s"
              appearance="outlined"
              variant=${risky ? 'danger' : 'neutral'}
              @click=${() => void this.#act(action)}
              >${label}</wa-button
            >`,
        )}
      </div>
      ${this.#facts()}`;
  }

  #facts(): TemplateResult {
    const { serial, address, place, model, paired } = this.terminal;
    const { firmware, clock, boots, failure, sensors } = this.details ?? {};
    const facts: [string, string | number | null | undefined][] = [
      ['Serial', serial],
      ['Model', firmware === undefined ? model : `${model}, firmware ${firmware}`],
      ['Address', address],
      ['Line', place],
      ['Paired', paired === null ? undefined : paired ? 'yes' : 'no'],
      ['Clock', clock],
      ['Starts', boots],
      ['Battery', sensors && sensors.batteryMv > 0 ? `${sensors.batteryPercent} %` : undefined],
      ['Did not start', failure],
    ];
    return html`<dl class="small">
      ${facts.map(([label, value]) =>
        value === undefined || value === null
          ? ''
          : html`<dt>${label}</dt>
              <dd>${value}</dd>`,
      )}
    </dl>`;
  }

  async #act(action: string): Promise<void> {
    await this.store.act(`/terminals/${encodeURIComponent(this.terminal.name)}/${action}`);
    this.requestUpdate();
  }
}

function turnsOf({ power, plugged, portable, docked }: Terminal): Turn[] {
  return [
    {
      label: 'Power',
      hint: power === 'starting' ? 'Starting …' : 'Off is a power cut, in the middle of whatever it does.',
      isOn: power !== 'off',
      on: 'power-on',
      off: 'power-off',
    },
    ...(portable
      ? [{ label: 'Dock', hint: 'Supply voltage, and its line.', isOn: docked, on: 'dock', off: 'undock' }]
      : [{ label: 'Cable', hint: 'It is on its line.', isOn: plugged, on: 'plug', off: 'unplug' }]),
  ];
}

customElements.define('service-tab', ServiceTab);
