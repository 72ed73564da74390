import type { TimelineRow } from '../rig/timeline.ts';
import { text } from './junit.ts';

export const TIMELINE_STYLE = `
.wire { border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; margin-top: .5rem; background: var(--page); }
.lanes { padding: .6rem .75rem; border-bottom: 1px solid var(--rule); background: var(--soft); }
.lane { display: grid; grid-template-columns: 6rem 1fr; align-items: center; gap: .5rem; font-size: 12px; color: var(--out); }
.lane i { position: relative; display: block; height: 18px; border-bottom: 1px solid var(--rule); }
.lane i u { position: absolute; bottom: 0; width: 2px; height: 9px; background: var(--gateway); border-radius: 1px; }
.lane i u.terminal { background: var(--terminal); height: 14px; } .lane i u.bad { background: var(--bad); height: 18px; width: 3px; }
.rows { display: flex; flex-direction: column-reverse; max-height: 34rem; overflow: auto; font: 12px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
.p { display: grid; grid-template-columns: 6.5rem 5.5rem 3.6rem 1fr; gap: .5rem; padding: .1rem .75rem; border-left: 3px solid transparent; }
.p:nth-child(even) { background: var(--soft); }
.p > :first-child { text-align: right; color: var(--out); font-variant-numeric: tabular-nums; }
.p > :nth-child(2) { color: var(--out); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.p.gateway { border-left-color: var(--gateway); } .p.terminal { border-left-color: var(--terminal); }
.p.gateway > :nth-child(3) { color: var(--gateway); } .p.terminal > :nth-child(3) { color: var(--terminal); }
.p > :last-child { overflow-wrap: anywhere; color: var(--out); } .p > :last-child b { color: var(--text); }
.p.bad { border-left-color: var(--bad); background: var(--bad-soft); } .p.bad > :last-child { color: var(--bad); }
.p.pause { border-top: 1px dashed var(--rule); } .p.again { opacity: .65; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: 12px; color: var(--out); margin-top: .4rem; }
.key span::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 2px; margin-right: .35rem; background: var(--key); }
@media (max-width: 40rem) {
  .lane { grid-template-columns: 4rem 1fr; }
  .p { grid-template-columns: 5.2rem 1fr auto; padding: .3rem .5rem; } .p > :last-child { grid-column: 1 / -1; }
  .p > :nth-child(2) { text-align: left; }
}
`;

/** So long nobody spoke where a dashed line is drawn, microseconds. */
const PAUSE_US = 50_000;

/**
 * The wire up to a failure: a strip a line with a mark a packet, and below it the packets. The last ones are seen first:
 * what is laid out from below is scrolled to its end.
 */
export function timelineHtml(rows: readonly TimelineRow[]): string {
  const [first, last] = [rows[0]?.timeUs ?? 0, rows.at(-1)?.timeUs ?? 0];
  const lanes = [...Map.groupBy(rows, ({ line }) => line)].map(
    ([line, mine]) =>
      `<div class="lane"><span>${text(line)}</span><i>${mine.map((row) => tick(row, first, last)).join('')}</i></div>`,
  );
  const shown = rows.map((row, i) => packet(row, rows[i - 1], last));
  return `<div class="wire"><div class="lanes">${lanes.join('\n')}
<div class="key"><span style="--key:var(--gateway)">gateway</span><span style="--key:var(--terminal)">terminal</span><span style="--key:var(--bad)">damaged or refused</span><em>${span(last - first)}, times are before the last packet</em></div></div>
<div class="rows" tabindex="0">${shown.reverse().join('\n')}</div></div>`;
}

function isAgain(row: TimelineRow, before: TimelineRow | undefined): boolean {
  const keys = ['text', 'from', 'address', 'line'] as const;
  return before !== undefined && keys.every((key) => before[key] === row[key]);
}

function tick(row: TimelineRow, first: number, last: number): string {
  const at = last === first ? 100 : (100 * (row.timeUs - first)) / (last - first);
  return `<u class="${classOf(row)}" style="left:${at.toFixed(2)}%"></u>`;
}

function packet(row: TimelineRow, before: TimelineRow | undefined, last: number): string {
  const marks = [
    classOf(row),
    ...(before !== undefined && row.timeUs - before.timeUs > PAUSE_US ? ['pause'] : []),
    ...(isAgain(row, before) ? ['again'] : []),
  ];
  const arrow = { gateway: '→', terminal: '←', nobody: '·' }[row.from];
  const who = row.address === null ? '' : row.address === 0 ? 'all' : String(row.address);
  const [name = '', ...rest] = row.text.split(' ');
  return `<div class="p ${marks.join(' ')}"><span>${last === row.timeUs ? 'last' : `−${span(last - row.timeUs)}`}</span><span title="${text(row.line)}">${text(row.line)}</span><span>${arrow} ${who}</span><span><b>${text(name)}</b> ${text(rest.join(' '))}</span></div>`;
}

function classOf({ kind, from, text: words }: TimelineRow): string {
  return kind === 'damaged' || words.startsWith('refused') ? 'bad' : from;
}

function span(us: number): string {
  return us < 1_000_000 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1_000_000).toFixed(2)} s`;
}
