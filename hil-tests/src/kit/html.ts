import { seconds } from './console-report.ts';
import { text } from './junit.ts';
import { count } from './results.ts';
import type { Result, Run } from './results.ts';

const STYLE = `
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #c62828; --out: #6b7280; --rule: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.sums { display: flex; gap: 2rem; margin: 1rem 0; } .sums b { display: block; font-size: 1.8rem; line-height: 1.2; }
.passed { color: var(--ok); } .failed { color: var(--bad); } .left-out { color: var(--out); }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--rule); padding: .35rem .5rem; vertical-align: top; }
td:first-child { width: 1.2rem; } td:last-child { text-align: right; white-space: nowrap; color: var(--out); }
.reason { color: var(--out); } .failed .reason { color: inherit; white-space: pre-wrap; }
pre { font: 12px/1.45 ui-monospace, monospace; overflow: auto; max-height: 30rem; padding: .75rem; border: 1px solid var(--rule); border-radius: 6px; }
summary { cursor: pointer; }
`;

const MARKS = { passed: '✓', failed: '✗', 'left-out': '–' } as const;

/** A run as a page that stands alone: no script, nothing from elsewhere. */
export function html(run: Run): string {
  const title = `Rig ${run.rig}: ${count(run, 'failed')} failed, ${count(run, 'passed')} passed`;
  const sums = (['passed', 'failed', 'left-out'] as const).map(
    (state) => `<div class="${state}"><b>${count(run, state)}</b>${state.replace('-', ' ')}</div>`,
  );
  const suites = [...Map.groupBy(run.results, ({ suite }) => suite)].sort(([a], [b]) => (a < b ? -1 : 1));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(title)}</title><style>${STYLE}</style></head><body>
<h1>Rig ${text(run.rig)}</h1>
<div>${text(run.began)}, ${seconds(run.ms)}${run.interrupted ? ', <b class="failed">interrupted</b>' : ''}</div>
<div class="sums">${sums.join('')}</div>
${run.errors.map((error) => `<p class="failed">${text(error)}</p>`).join('\n')}
${suites.map(([suite, results]) => `<h2>${text(suite)}</h2>\n<table>${results.map(row).join('\n')}</table>`).join('\n')}
</body></html>
`;
}

function row({ title, state, ms, reason, stack, timeline }: Result): string {
  const told = [
    text(title),
    ...(reason === undefined ? [] : [`<div class="reason">${text(reason)}</div>`]),
    ...(stack === undefined ? [] : [`<details><summary>Where</summary><pre>${text(stack)}</pre></details>`]),
    ...(timeline === undefined
      ? []
      : [
          `<details open><summary>The wire up to the failure, ${timeline.length} packets, newest last</summary><pre>${text(timeline.join('\n'))}</pre></details>`,
        ]),
  ];
  const time = state === 'left-out' ? '' : seconds(ms);
  return `<tr class="${state}"><td>${MARKS[state]}</td><td>${told.join('')}</td><td>${time}</td></tr>`;
}
