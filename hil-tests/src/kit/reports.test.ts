import { expect, test } from 'vitest';
import type { TimelineRow } from '../rig/timeline.ts';
import { showRun } from './console-report.ts';
import { html } from './html.ts';
import { junit } from './junit.ts';
import type { Run } from './results.ts';
import { succeeded } from './results.ts';
import { suites } from './suites.ts';

const ROW: TimelineRow = {
  ...{ timeUs: 1_000, line: 'floor', from: 'gateway', address: 1, kind: 'opened' },
  ...{ text: 'hello a=<secret, 4 bytes>', shown: '08:00:00  floor  → 1  hello a=<secret, 4 bytes>' },
};

const RUN: Run = {
  rig: 'bench.yaml',
  began: '2026-05-01T08:00:00.000Z',
  ms: 2_500,
  interrupted: false,
  errors: [],
  results: [
    { suite: 'scope', title: 'B1 off', state: 'passed', ms: 500 },
    { suite: 'scope', title: 'B1 <all> & "more"', state: 'left-out', ms: 0, reason: 'needs a relay' },
    {
      ...{ suite: 'trouble', title: 'G2 power', state: 'failed', ms: 2_000, reason: 'awaited\u0000 <x>' },
      ...{
        stack: 'trouble.test.ts:7:3',
        timeline: [ROW, { ...ROW, timeUs: 2_500, kind: 'damaged' as const }],
      },
    },
  ],
};

test('E8 the table has a row a suite, and names what was left out with its reason', () => {
  const shown = showRun(RUN);
  expect(shown).toMatch(/^trouble +0 +1 +0 +2\.0 s$/m);
  expect(shown).toContain('  needs a relay\n    scope: B1 <all>');
  expect(shown).toContain('1 passed, 1 failed, 1 left out, in 2.5 s.');
});

test('E8 JUnit and HTML escape what they show, and show the wire at the failure', () => {
  const xml = junit(RUN);
  expect(xml).toContain('<testsuite name="scope" tests="2" failures="0" errors="0" skipped="1" time="0.500"');
  expect(xml).toContain('name="B1 &lt;all&gt; &amp; &quot;more&quot;"');
  expect(xml).toContain('<failure type="failure" message="awaited &lt;x&gt;">trouble.test.ts:7:3</failure>');
  expect(xml).toContain('<system-out>08:00:00  floor  → 1  hello a=&lt;secret, 4 bytes&gt;');
  const page = html(RUN);
  expect(page).toContain('B1 &lt;all&gt;');
  expect(page).toContain('<b>hello</b> a=&lt;secret, 4 bytes&gt;');
  expect(page).toContain('−1.5 ms');
  expect(page).not.toContain('<script');
  expect(page).toContain('<div class="failed"><b>1</b>');
  const held = RUN.results.filter(({ state }) => state === 'passed');
  expect(html({ ...RUN, results: held })).toContain('<div class="none"><b>0</b>failed');
});

test('E8 in HTML what ran stands above what was left out', () => {
  const left = {
    suite: 'broadcast',
    title: 'B10 noise',
    state: 'left-out',
    ms: 0,
    reason: 'needs memory',
  } as const;
  const page = html({ ...RUN, results: [left, ...RUN.results.slice(0, 2).toReversed()] });
  const at = ['B1 off', 'B1 &lt;all&gt;', 'B10 noise'].map((title) => page.indexOf(title));
  expect(at).toEqual(at.toSorted((a, b) => a - b));
});

/** What the readers of build servers take (the schema of the xunit plugin): attributes and members by element. */
const JUNIT: Readonly<Record<string, { readonly has: string; readonly within: string }>> = {
  testsuites: { has: 'name tests failures errors time', within: '' },
  testsuite: { has: 'name tests failures errors skipped time timestamp', within: 'testsuites' },
  testcase: { has: 'classname name time', within: 'testsuite' },
  failure: { has: 'type message', within: 'testcase' },
  error: { has: 'type message', within: 'testcase' },
  skipped: { has: 'message', within: 'testcase' },
  'system-out': { has: '', within: 'testcase' },
};

test('E8 JUnit has the elements, attributes and numbers that build servers read', () => {
  const xml = junit({ ...RUN, ms: 1e-5, errors: ['a file cannot be loaded'] });
  const open: string[] = [];
  for (const [, slash, name = '', attributes = '', empty] of xml.matchAll(/<(\/?)([a-z-]+)([^>]*?)(\/?)>/g)) {
    if (slash === '/') {
      expect(open.pop()).toBe(name);
      continue;
    }
    const within = open.at(-1) ?? '';
    const has = [...attributes.matchAll(/ ([a-z]+)="/g)].map(([, one]) => one).join(' ');
    expect({ name, has, within }).toEqual({ name, ...JUNIT[name] });
    if (empty !== '/') open.push(name);
  }
  expect(open).toEqual([]);
  expect([...xml.matchAll(/time="([^"]*)"/g)].map(([, time]) => time)).toEqual(
    expect.arrayContaining(['0.000', '2.000']) as string[],
  );
  expect(xml).not.toMatch(/time="(?!\d+\.\d{3}")/);
  expect(xml).toContain('tests="4" failures="1" errors="1"');
});

test('E8 a run that was interrupted is an error in JUnit, however few of its behaviours failed', () => {
  const xml = junit({ ...RUN, results: [], interrupted: true });
  expect(xml).toContain('tests="1" failures="0" errors="1"');
  expect(xml).toContain('message="the run was ended before its end"');
});

test('E8 a run succeeds when something ran and all of it held', () => {
  expect(succeeded(RUN)).toBe(false);
  const held = RUN.results.filter(({ state }) => state !== 'failed');
  expect(succeeded({ ...RUN, results: held })).toBe(true);
  expect(succeeded({ ...RUN, results: held, interrupted: true })).toBe(false);
  expect(succeeded({ ...RUN, results: held, errors: ['a file cannot be loaded'] })).toBe(false);
  expect(succeeded({ ...RUN, results: held.slice(1) })).toBe(false);
});

test('E8 a suite is a file of behaviours', () => {
  expect(suites()).toEqual(expect.arrayContaining(['enrolment', 'scope', 'trouble']));
  expect(suites()).not.toContain('dissector');
});
