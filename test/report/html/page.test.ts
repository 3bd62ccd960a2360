import { expect, it } from 'vitest';
import { drawPage } from '../../../src/report/html/page.ts';
import { exampleReport } from '../support/example-report.ts';
import { exampleStatus } from '../support/example-status.ts';

const { status, history } = exampleReport();
const page = drawPage({ status, history });
const count = (pattern: RegExp) => [...page.matchAll(pattern)].length;

it('needs nothing else: no script, no address, and a policy that would allow neither', () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|<object|javascript:|url\(|\bsrc=|\bhref=|\bon\w+=/i);
  expect(page).not.toContain('style="');
  expect(page).toContain(`content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;;`);
});

it('fits a phone and both papers: viewport, colour scheme, and no drawing with a size of its own', () => {
  expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
  expect(page).toContain('@media (prefers-color-scheme:dark)');
  expect(page).not.toMatch(/<svg[^>]* width=/);
});

it('opens what it closes', () => {
  const open: string[] = [];
  const body = page.replace(/<style>[^]*<\/style>|<!doctype html>/g, '');
  for (const [, close, name = '', , empty] of body.matchAll(
    /<(\/?)([a-z0-9]+)((?:"[^"]*"|[^">])*?)(\/?)>/g,
  )) {
    if (empty === '/' || name === 'meta') continue;
    if (close === '/') expect(open.pop()).toBe(name);
    else open.push(name);
  }
  expect(open).toEqual([]);
});

it('has problems before everything else', () => {
  const places = ['3 problems</strong>', 'class="numbers"', '>Trends<', '>Details<'].map((text) =>
    page.indexOf(text),
  );
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(page).toContain('<title>3 problems: cms</title>');
  const well = drawPage({ status: exampleStatus(), history });
  expect(well).toContain('All is well.');
});

it('says every chart in words and as a table', () => {
  const titles = [...page.matchAll(/<figcaption><h3>([^<]+)/g)].map(([, title]) => title);
  expect(titles).toEqual([
    ...['Task outcomes', 'Schedules', 'Connections', 'Backup size', 'Backup duration', 'Mail'],
    ...['Duration: backup', 'Duration: resize-images', 'Duration: send-mail'],
  ]);
  expect(count(/<svg [^>]*role="img" aria-label="[^"]{20,}"/g)).toBe(titles.length);
  expect(count(/<details><summary>As a table<\/summary><div class="scroll"/g)).toBe(titles.length);
});

it('has a section for what is broken: since when, the last task, who was told, and the next reminder', () => {
  const section = /<h2>Broken<\/h2>([^]*?)<h2>/.exec(page)?.[1] ?? '';
  const cards = section.split('<section').slice(1);
  expect(cards.map((card) => [...card.matchAll(/<(?:h3|d[td])>([^<]*)/g)].map(([, text]) => text))).toEqual([
    [
      ...['backup (nightly)', 'Broken since', '2026-11-25 06:20 UTC (3 d)', 'Failures', '3'],
      ...['Last task', '4711, failed 2026-11-28 02:20 UTC', 'Told', '2026-11-28 02:20 UTC'],
      ...['Next reminder', '2026-11-29 02:20 UTC'],
    ],
    [
      ...['resize-images on web2', 'Broken since', '2026-11-28 05:20 UTC (1 h)', 'Failures', '12'],
      ...['Last task', '4803, failed 2026-11-28 06:18 UTC', 'Told'],
      'not yet: task 4799 is waiting: mail server &quot;relay&quot;: connect ECONNREFUSED 10.0.0.25:587',
      ...['Next reminder', '2026-11-29 05:20 UTC'],
    ],
    [
      ...[
        'http (prices)',
        'Works since',
        '2026-11-27 23:20 UTC; broke 2026-11-27 21:20 UTC',
        'Failures',
        '2',
      ],
      ...['Last task', '4650, failed 2026-11-27 22:20 UTC', 'Told', 'nobody'],
    ],
  ]);
  expect(page.indexOf('<h2>Broken')).toBeLessThan(page.indexOf('>Trends<'));
  expect(drawPage({ status: exampleStatus(), history })).not.toContain('Broken');
});

it('leaves out charts of what there is none of', () => {
  const empty = { ...history, backups: [], connections: undefined, durations: [], mail: [] };
  const small = drawPage({ status: exampleStatus(), history: empty });
  expect([...small.matchAll(/<figcaption><h3>([^<]+)/g)].map(([, title]) => title)).toEqual([
    'Task outcomes',
  ]);
  expect(small).not.toMatch(/NaN|Infinity|undefined/);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

it('lets no text of the database become markup, wherever it stands', () => {
  const hostile = `<script>alert(1)</script>"onload='x`;
  const [host] = status.hosts;
  const [schedule] = status.schedules;
  if (host === undefined || schedule === undefined) throw new Error('the example has no host');
  const attacked = drawPage({
    status: {
      ...status,
      ...{ database: hostile, problems: [hostile] },
      hosts: [{ ...host, host: hostile, lastOutcome: hostile }],
      alerts: status.alerts.map((alert) => ({ ...alert, kind: hostile, mailProblem: hostile })),
      schedules: [{ ...schedule, name: hostile, kind: hostile, cron: hostile, timezone: hostile }],
      pauses: [
        ...[{ scope: 'kind' as const, name: hostile, reason: hostile, pausedAt: new Date(0) }].map(
          (pause) => ({
            ...pause,
            ...{ pausedBy: hostile, due: 0 },
          }),
        ),
      ],
      translations: {
        catalogs: 1,
        failed: [{ host: hostile, path: hostile, message: hostile, checkedAt: new Date(0) }],
      },
    },
    history: {
      ...history,
      durations: history.durations.map((durations) => ({ ...durations, kind: hostile })),
      backups: history.backups.map((backup) => ({ ...backup, id: hostile })),
    },
  });
  expect(attacked).not.toMatch(/<script/i);
  expect(attacked).not.toContain(`"onload='x`);
  expect(attacked.split('&lt;script&gt;').length).toBeGreaterThan(15);
});

it('is of bounded size, whatever the database holds', () => {
  const long = '<'.repeat(100_000);
  const many = <T>(item: T | undefined) =>
    item === undefined ? [] : Array.from({ length: 5000 }, () => item);
  const huge = drawPage({
    status: {
      ...status,
      problems: many(long),
      alerts: many(status.alerts[1]).map((alert) => ({ ...alert, kind: long, mailProblem: long })),
      hosts: many(status.hosts[0]).map((host) => ({ ...host, host: long, lastOutcome: long })),
      schedules: many(status.schedules[0]).map((schedule) => ({
        ...schedule,
        name: long,
        cron: '0 0 1 1 *',
      })),
    },
    history,
  });
  expect(huge.length).toBeLessThan(1_000_000);
  expect(huge).toContain('and 4960 more');
  expect(page.length).toBeLessThan(200_000);
});
