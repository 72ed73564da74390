import { count } from './results.ts';
import type { Result, Run } from './results.ts';

/** A run as JUnit XML, a suite of ours a suite of theirs. */
export function junit(run: Run): string {
  const suites = [...Map.groupBy(run.results, ({ suite }) => suite)].map(([suite, cases]) =>
    element('testsuite', { name: suite, ...suiteCounts(cases), timestamp: run.began }, cases.map(testcase)),
  );
  const told = [...run.errors, ...(run.interrupted ? ['the run was ended before its end'] : [])];
  const errors = told.map((error) =>
    element(
      'testsuite',
      { name: 'whorl-hil', ...suiteCounts([]), tests: 1, errors: 1, timestamp: run.began },
      [
        element('testcase', { classname: 'whorl-hil', name: 'outside of any behaviour', time: seconds(0) }, [
          element('error', { type: 'error', message: error }, [text(error)]),
        ]),
      ],
    ),
  );
  const totals = {
    tests: run.results.length + errors.length,
    failures: count(run, 'failed'),
    errors: errors.length,
  };
  const all = element('testsuites', { name: run.rig, ...totals, time: seconds(run.ms) }, [
    ...suites,
    ...errors,
  ]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${all}\n`;
}

function suiteCounts(cases: readonly Result[]): Record<string, number | string> {
  const of = (state: Result['state']): number => cases.filter((one) => one.state === state).length;
  const time = seconds(cases.reduce((sum, { ms }) => sum + ms, 0));
  return { tests: cases.length, failures: of('failed'), errors: 0, skipped: of('left-out'), time };
}

/** Stricter readers take three digits after the point, and no exponent. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function testcase({ suite, title, ms, state, reason = '', stack, timeline }: Result): string {
  const inside: string[] = [];
  if (state === 'left-out') inside.push(element('skipped', { message: reason }, []));
  if (state === 'failed')
    inside.push(element('failure', { type: 'failure', message: reason }, [text(stack ?? reason)]));
  if (timeline !== undefined)
    inside.push(element('system-out', {}, [text(timeline.map(({ shown }) => shown).join('\n'))]));
  return element('testcase', { classname: suite, name: title, time: seconds(ms) }, inside);
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  inside: readonly string[],
): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${text(String(value))}"`);
  const open = `<${name}${given.join('')}`;
  return inside.length === 0 ? `${open}/>` : `${open}>${inside.join('\n')}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as XML and HTML take it: what they forbid is left out. */
export function text(raw: string): string {
  return (
    raw
      // eslint-disable-next-line no-control-regex -- XML 1.0 has no way to say these at all
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? '')
  );
}
