import type { Result, Run } from './results.ts';

/** A run as JUnit XML, a suite of ours a suite of theirs. */
export function junit(run: Run): string {
  const suites = [...Map.groupBy(run.results, ({ suite }) => suite)].map(([suite, cases]) =>
    element('testsuite', { name: suite, ...counts(cases), timestamp: run.began }, cases.map(testcase)),
  );
  const errors = run.errors.map((error) =>
    element('testsuite', { name: 'whorl-hil', tests: 1, failures: 0, errors: 1, skipped: 0 }, [
      element('testcase', { classname: 'whorl-hil', name: 'outside of any behaviour' }, [
        element('error', { message: error }, []),
      ]),
    ]),
  );
  const all = element('testsuites', { name: run.rig, time: run.ms / 1000 }, [...suites, ...errors]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${all}\n`;
}

function counts(cases: readonly Result[]): Record<string, number> {
  const of = (state: Result['state']): number => cases.filter((one) => one.state === state).length;
  const time = cases.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  return { tests: cases.length, failures: of('failed'), errors: 0, skipped: of('left-out'), time };
}

function testcase({ suite, title, ms, state, reason = '', stack, timeline }: Result): string {
  const inside: string[] = [];
  if (state === 'left-out') inside.push(element('skipped', { message: reason }, []));
  if (state === 'failed') inside.push(element('failure', { message: reason }, [text(stack ?? reason)]));
  if (timeline !== undefined)
    inside.push(element('system-out', {}, [text(timeline.map(({ shown }) => shown).join('\n'))]));
  return element('testcase', { classname: suite, name: title, time: ms / 1000 }, inside);
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
