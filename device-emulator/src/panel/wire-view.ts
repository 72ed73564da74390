import { css, html } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { Part } from './part.ts';
import { placeOf, Pulses } from './pulses.ts';
import type { Line } from './shapes.ts';
import { shared } from './styles.ts';
import type { FrameEvent, Rates } from './traffic.ts';

const WIRE_Y = 20;
const BARS_FROM = 40;
const BAR_ALPHA = 0.4;
const HEIGHT = 58;
const MARGIN = 16;
const TOLD_EVERY_MS = 500;
const STILL_EVERY_MS = 200;
const BITS_A_BYTE = 10;

const COLOURS = {
  wire: '--panel-line',
  text: '--panel-quiet',
  sealed: '--panel-brand',
  plain: '--panel-warn',
  short: '--panel-quiet',
  damaged: '--panel-bad',
} as const;

/** A line’s wire with what crosses it: moving dots, one a frame, above the load of the last seconds. */
export class WireView extends Part {
  static override properties: PropertyDeclarations = {
    ...Part.properties,
    line: { attribute: false },
    selected: { attribute: false },
  };
  static override styles = [
    shared,
    css`
      canvas {
        display: block;
        width: 100%;
        height: ${HEIGHT}px;
      }
      figcaption {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 14px;
        font-variant-numeric: tabular-nums;
      }
      .bad {
        color: var(--panel-bad);
      }
    `,
  ];
  declare line: Line;
  declare selected: string | undefined;
  readonly #pulses = new Pulses();
  readonly #ends: (() => void)[] = [];
  #rates: Rates = { frames: 0, bytes: 0, damaged: 0 };
  #places = new Map<string, number>();
  #colours: Record<keyof typeof COLOURS, string> | undefined;
  #toldAt = 0;
  #drawnAt = 0;
  #visible = false;
  #request = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    const still = matchMedia('(prefers-reduced-motion: reduce)');
    this.#ends.push(
      this.store.onFrame((frame, showAt) => {
        if (frame.line === this.line.name && this.#visible && !still.matches) this.#add(frame, showAt);
      }),
    );
    const seen = new IntersectionObserver((entries) => {
      this.#visible = entries.some(({ isIntersecting }) => isIntersecting);
      this.#ask();
    });
    seen.observe(this);
    this.#ends.push(() => {
      seen.disconnect();
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.#ends.splice(0)) end();
    cancelAnimationFrame(this.#request);
    this.#visible = false;
  }

  override willUpdate(): void {
    const { terminals } = this.line;
    this.#places = new Map(terminals.map((name, at) => [name, placeOf(at, terminals.length)]));
    this.#colours = undefined;
  }

  override render(): TemplateResult {
    const { frames, bytes, damaged } = this.#rates;
    const { baud, name } = this.line;
    const busy = baud === null ? undefined : Math.min(100, (bytes * BITS_A_BYTE * 100) / baud);
    const told = [
      `${Math.round(frames)} ${Math.round(frames) === 1 ? 'frame' : 'frames'}/s`,
      bytes < 1000 ? `${Math.round(bytes)} B/s` : `${(bytes / 1000).toFixed(1)} kB/s`,
      ...(busy === undefined ? [] : [`${Math.round(busy)} % busy`]),
    ];
    return html`<figure>
      <canvas role="img" aria-label=${`Traffic on ${name}: ${told.join(', ')}`}></canvas>
      <figcaption class="quiet small">
        ${told.map((one) => html`<span>${one}</span>`)}
        ${damaged > 0 ? html`<span class="bad">${damaged.toFixed(1)} damaged/s</span>` : ''}
        ${this.store.paused ? html`<span>paused</span>` : ''}
      </figcaption>
    </figure>`;
  }

  #add(frame: FrameEvent, showAt: number): void {
    this.#pulses.add(frame, this.#places.get(frame.terminal ?? '') ?? 1, showAt);
  }

  #ask(): void {
    cancelAnimationFrame(this.#request);
    if (this.#visible) this.#request = requestAnimationFrame((now) => this.#step(now));
  }

  #step(now: number): void {
    const moving = this.#pulses.at(now);
    if (moving.length > 0 || now - this.#drawnAt > STILL_EVERY_MS) {
      this.#drawnAt = now;
      this.#draw(now, moving);
    }
    if (now - this.#toldAt > TOLD_EVERY_MS && !this.store.paused) {
      this.#toldAt = now;
      const time = this.store.playback.emulatorTime(now) ?? 0;
      this.#rates = this.store.traffic.get(this.line.name)?.rates(time) ?? this.#rates;
      this.requestUpdate();
    }
    this.#ask();
  }

  #draw(now: number, moving: ReturnType<Pulses['at']>): void {
    const canvas = this.renderRoot.querySelector('canvas');
    const context = canvas?.getContext('2d');
    if (!canvas || !context) return;
    const ratio = devicePixelRatio;
    const width = canvas.clientWidth;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== HEIGHT * ratio) canvas.height = HEIGHT * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const colours = (this.#colours ??= coloursOf(this));
    const x = (place: number): number => MARGIN + place * (width - 2 * MARGIN);
    this.#drawBars(context, now, width, colours);
    this.#drawWire(context, x, colours);
    for (const { pulse, place } of moving) {
      context.fillStyle = colours[pulse.form];
      context.beginPath();
      context.arc(x(place), WIRE_Y, 2.2 + Math.min(4, Math.log10(Math.max(1, pulse.bytes)) * 1.3), 0, 7);
      context.fill();
    }
  }

  #drawWire(
    context: CanvasRenderingContext2D,
    x: (place: number) => number,
    colours: Record<keyof typeof COLOURS, string>,
  ): void {
    context.lineCap = 'round';
    context.strokeStyle = context.fillStyle = colours.wire;
    context.lineWidth = 2;
    context.setLineDash(this.line.plugged ? [] : [3, 6]);
    context.beginPath();
    context.moveTo(x(0), WIRE_Y);
    context.lineTo(x(1), WIRE_Y);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colours.text;
    context.beginPath();
    context.roundRect(x(0) - 9, WIRE_Y - 9, 18, 18, 5);
    context.fill();
    for (const [name, place] of this.#places) {
      const isSelected = name === this.selected;
      context.fillStyle = isSelected ? colours.sealed : colours.wire;
      context.beginPath();
      context.arc(x(place), WIRE_Y, isSelected ? 6 : 4, 0, 7);
      context.fill();
    }
  }

  #drawBars(
    context: CanvasRenderingContext2D,
    now: number,
    width: number,
    colours: Record<keyof typeof COLOURS, string>,
  ): void {
    const time = this.store.playback.emulatorTime(now);
    const traffic = this.store.traffic.get(this.line.name);
    if (time === undefined || traffic === undefined) return;
    const bars = traffic.bars(time);
    const most = Math.max(400, ...bars.map(({ bytes }) => bytes));
    const step = (width - 2 * MARGIN) / bars.length;
    for (const [at, { bytes, damaged }] of bars.entries()) {
      const height = bytes === 0 ? 0 : Math.max(1.5, (bytes / most) * (HEIGHT - BARS_FROM));
      context.fillStyle = damaged ? colours.damaged : colours.text;
      context.globalAlpha = damaged ? 1 : BAR_ALPHA;
      context.fillRect(MARGIN + at * step, HEIGHT - height, Math.max(1, step - 1.5), height);
    }
    context.globalAlpha = 1;
  }
}

function coloursOf(element: Element): Record<keyof typeof COLOURS, string> {
  const style = getComputedStyle(element);
  const read = (name: keyof typeof COLOURS): string => style.getPropertyValue(COLOURS[name]);
  return {
    wire: read('wire'),
    text: read('text'),
    sealed: read('sealed'),
    plain: read('plain'),
    short: read('short'),
    damaged: read('damaged'),
  };
}

customElements.define('wire-view', WireView);
