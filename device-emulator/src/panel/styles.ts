import { css } from 'lit';

/** What all parts of the panel share. */
export const shared = css`
  :host {
    display: block;
    box-sizing: border-box;
    min-width: 0;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  dl,
  dd,
  figure {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  h2 {
    font-size: 1.2rem;
    line-height: 1.25;
    letter-spacing: -0.01em;
    overflow-wrap: anywhere;
  }
  h3 {
    font-size: 0.95rem;
  }
  a {
    color: inherit;
    text-decoration: none;
  }
  :focus-visible {
    outline: 2px solid var(--panel-brand);
    outline-offset: 2px;
  }
  .icon {
    flex: none;
    vertical-align: -0.25em;
  }
  .card {
    background: var(--panel-card);
    border: 1px solid var(--panel-line);
    border-radius: var(--panel-radius);
    box-shadow: var(--panel-shadow);
  }
  .quiet {
    color: var(--panel-quiet);
  }
  .small {
    font-size: 0.85rem;
  }
  .mono {
    font-family: var(--panel-mono);
    font-size: 0.92em;
  }
  .row {
    display: flex;
    align-items: center;
    gap: 10px;
    flex-wrap: wrap;
  }
  .spread {
    justify-content: space-between;
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    padding: 1px 9px;
    border-radius: 99px;
    font-size: 0.8rem;
    line-height: 1.6;
    background: var(--panel-sunk);
    color: var(--panel-quiet);
    white-space: nowrap;
  }
  .chip.bad {
    background: var(--panel-bad-soft);
    color: var(--panel-bad);
  }
  .chip.good {
    color: var(--panel-good);
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

/** A light of a terminal, as an attribute `data-led` says. */
export const leds = css`
  [data-led] {
    --led: var(--panel-line);
    --glow: transparent;
  }
  [data-led='blue'] {
    --led: #5c8dff;
    --glow: rgb(92 141 255 / 35%);
  }
  [data-led='yellow'] {
    --led: #f2b632;
    --glow: rgb(242 182 50 / 40%);
  }
  [data-led='green'] {
    --led: #2fc774;
    --glow: rgb(47 199 116 / 45%);
  }
  [data-led='red'] {
    --led: #f0525d;
    --glow: rgb(240 82 93 / 45%);
  }
`;
