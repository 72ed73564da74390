import { counted } from '@whorl/protocol';
import { seconds } from './console-report.ts';
import { TIMELINE_STYLE, timelineHtml } from './html-timeline.ts';
import { text } from './junit.ts';
import { count } from './results.ts';
import type { Result, Run } from './results.ts';

const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --ok: #1a7f37; --bad: #b3261e; --out: #5f6772; --rule: #8884; --soft: #8881; --bad-soft: #b3261e14; --gateway: #2563c9; --terminal: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --text: #e6e8eb; --ok: #57c878; --bad: #ff8a80; --out: #9aa3ae; --bad-soft: #ff8a8018; --gateway: #7fb0ff; --terminal: #e0b050; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; background: var(--page); color: var(--text); }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.when { color: var(--out); }
.sums { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.sums div { border: 1px solid var(--rule); border-radius: 8px; padding: .5rem 1rem; min-width: 7rem; }
.sums b { display: block; font-size: 1.8rem; line-height: 1.2; }
.passed { color: var(--ok); } .failed { color: var(--bad); } .left-out, .none { color: var(--out); }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
td { border-top: 1px solid var(--rule); padding: .4rem .5rem; vertical-align: top; color: var(--text); overflow-wrap: anywhere; }
td:first-child { width: 1.8rem; color: inherit; font-weight: bold; } td:last-child { width: 4.5rem; text-align: right; white-space: nowrap; color: var(--out); }
.reason { color: var(--out); } .failed .reason { color: var(--bad); white-space: pre-wrap; font-weight: 500; }
tr.failed { background: linear-gradient(90deg, var(--bad-soft), transparent 40%); }
pre { font: 12px/1.45 ui-monospace, monospace; overflow: auto; padding: .6rem .75rem; border: 1px solid var(--rule); border-radius: 8px; }
summary { cursor: pointer; margin-top: .4rem; color: var(--out); }
@media (max-width: 40rem) { body { margin: 1rem auto; } td:last-child { width: 3.6rem; } .sums div { flex: 1; min-width: 5rem; padding: .4rem .6rem; } }
${TIMELINE_STYLE}`;

const MARKS = { passed: '✓', failed: '✗', 'left-out': '–' } as const;

/** A run as a page that stands alone: no script, nothing from elsewhere. */
export function html(run: Run): string {
  const title = `Rig ${run.rig}: ${count(run, 'failed')} failed, ${count(run, 'passed')} passed`;
  const sums = (['passed', 'failed', 'left-out'] as const).map((state) => {
    const many = count(run, state);
    return `<div class="${many > 0 ? state : 'none'}"><b>${many}</b>${state.replace('-', ' ')}</div>`;
  });
  const suites = [...Map.groupBy(run.results, ({ suite }) => suite)].sort(
    ([a, ofA], [b, ofB]) =>
      failures(ofB) - failures(ofA) || Number(ran(ofB)) - Number(ran(ofA)) || (a < b ? -1 : 1),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(title)}</title><style>${STYLE}</style></head><body>
<h1>Rig ${text(run.rig)}</h1>
<div class="when">${text(run.began)}, ${seconds(run.ms)}${run.interrupted ? ', <b class="failed">interrupted</b>' : ''}</div>
<div class="sums">${sums.join('')}</div>
${run.errors.map((error) => `<p class="failed">${text(error)}</p>`).join('\n')}
${suites.map(([suite, results]) => `<h2>${text(suite)}</h2>\n<table>${ranFirst(results).map(row).join('\n')}</table>`).join('\n')}
</body></html>
`;
}

function failures(results: readonly Result[]): number {
  return results.filter(({ state }) => state === 'failed').length;
}

function ran(results: readonly Result[]): boolean {
  return results.some(({ state }) => state !== 'left-out');
}

/** What a rig could not give stands below what it showed. */
function ranFirst(results: readonly Result[]): Result[] {
  return results.toSorted((a, b) => Number(a.state === 'left-out') - Number(b.state === 'left-out'));
}

function row({ title, state, ms, reason, stack, timeline }: Result): string {
  const told = [
    text(title),
    ...(reason === undefined ? [] : [`<div class="reason">${text(reason)}</div>`]),
    ...(stack === undefined ? [] : [`<details><summary>Where</summary><pre>${text(stack)}</pre></details>`]),
    ...(timeline === undefined
      ? []
      : [
          `<details open><summary>The wire up to the failure, ${counted(timeline.length, 'packet')}, newest last</summary>${timelineHtml(timeline)}</details>`,
        ]),
  ];
  const time = state === 'left-out' ? '' : seconds(ms);
  return `<tr class="${state}"><td>${MARKS[state]}</td><td>${told.join('')}</td><td>${time}</td></tr>`;
}
