import { expect, it } from 'vitest';
import { parseCrontab } from '../../src/crontab/parse-crontab.ts';

it('settings hold for the lines below them, quoted or not, and a name is a setting whatever its case', () => {
  const text = `# one\na_b = "x y"\n* * * * *  first\nPATH=/opt/bin\n@daily second\n`;
  expect(parseCrontab(text, { namesUser: false })).toEqual([
    { line: 2, user: undefined, command: 'first', settings: { a_b: 'x y' } },
    { line: 4, user: undefined, command: 'second', settings: { a_b: 'x y', PATH: '/opt/bin' } },
  ]);
});

it('a line of /etc/cron.d names its user before the command', () => {
  expect(parseCrontab('*/5 0-5 * * mon  cms  cd /srv && tend run-due-tasks', { namesUser: true })).toEqual([
    { line: 0, user: 'cms', command: 'cd /srv && tend run-due-tasks', settings: {} },
  ]);
});

it('a percent sign is one where it is escaped, and ends the command where it is not', () => {
  const [entry] = parseCrontab(String.raw`* * * * * echo '5\% of' a%input`, { namesUser: false });
  expect(entry?.command).toBe(`echo '5% of' a`);
});

it('what cron would refuse is no entry', () => {
  expect(parseCrontab('* * * *\nnonsense\n\n', { namesUser: false })).toEqual([]);
});
