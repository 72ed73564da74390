import { css, html } from 'lit';
import type { TemplateResult } from 'lit';
import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import '@awesome.me/webawesome/dist/components/switch/switch.js';
import type { Terminal } from './shapes.ts';
import { shared } from './styles.ts';
import { TerminalPart } from './terminal-part.ts';
import { valueOf } from './values.ts';

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
  { label: 'Tamper alarm', action: 'tamper' },
  { label: 'Clear log', action: 'clear-log', risky: true },
  { label: 'Factory reset', action: 'factory-reset', risky: true },
];

const NUMBERS = [
  { label: 'Supply, mV', option: 'supply-mv', member: 'supplyMv' },
  { label: 'Battery, mV', option: 'battery-mv', member: 'batteryMv' },
  { label: 'Battery, %', option: 'battery-percent', member: 'batteryPercent' },
] as const;

const CONTACTS = [
  { label: 'Door open', member: 'door' },
  { label: 'Housing open', member: 'tamper' },
] as const;

/** Power, cable, dock, what it measures, and what an installer finds in a terminal's menu. */
export class ServiceTab extends TerminalPart {
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
      section {
        display: grid;
        gap: 8px;
      }
      .measures {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(110px, 1fr));
        gap: 10px;
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

  override render(): TemplateResult {
    return html`<div class="turns">
        ${turnsOf(this.terminal).map(
          ({ label, hint, isOn, on, off }) =>
            html`<wa-switch
              size="s"
              .checked=${isOn}
              hint=${hint}
              @change=${() => void this.#turn(isOn ? off : on)}
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
              @click=${() => void this.act(action)}
              >${label}</wa-button
            >`,
        )}
      </div>
      ${this.#measures()} ${this.#facts()}`;
  }

  #facts(): TemplateResult {
    const { serial, address, place, model, paired } = this.terminal;
    const { firmware, clock, boots, failure } = this.details ?? {};
    const facts: [string, string | number | null | undefined][] = [
      ['Serial', serial],
      ['Model', firmware === undefined ? model : `${model}, firmware ${firmware}`],
      ['Address', address],
      ['Line', place],
      ['Paired', paired === null ? undefined : paired ? 'yes' : 'no'],
      ['Clock', clock],
      ['Starts', boots],
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

  /** What contacts and voltages its Modbus registers tell of. */
  #measures(): TemplateResult | string {
    const sensors = this.details?.sensors;
    if (sensors === undefined) return '';
    return html`<section aria-label="What it measures">
      <h3>What it measures</h3>
      <p class="quiet small">As its Modbus registers tell it.</p>
      <div class="measures">
        ${NUMBERS.map(
          ({ label, option, member }) =>
            html`<wa-input
              size="s"
              type="number"
              min="0"
              label=${label}
              .value=${String(sensors[member])}
              @change=${(event: Event) => void this.#turn('sense', { [option]: valueOf(event) })}
            ></wa-input>`,
        )}
      </div>
      <div class="row">
        ${CONTACTS.map(
          ({ label, member }) =>
            html`<wa-switch
              size="s"
              .checked=${sensors[member]}
              @change=${() => void this.#turn('sense', { [member]: !sensors[member] })}
              >${label}</wa-switch
            >`,
        )}
      </div>
    </section>`;
  }

  async #turn(action: string, given: object = {}): Promise<void> {
    await this.act(action, given);
    // What was refused is shown as it is.
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
