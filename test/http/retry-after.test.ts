import { expect, it } from 'vitest';
import { retryAfterMs } from '../../src/http/retry-after.ts';

const now = new Date('2026-11-06T08:49:30Z');
const hour = 3_600_000;

it.each([
  ['nothing', undefined, undefined],
  ['an empty text', '', undefined],
  ['seconds', '120', 120_000],
  ['seconds with blanks', ' 7 ', 7000],
  ['no time at all', '0', 0],
  ['more than six hours', '86400', 6 * hour],
  ['more than a number holds', '9'.repeat(400), 6 * hour],
  ['a negative number', '-5', undefined],
  ['a fraction', '1.5', undefined],
  ['a word', 'soon', undefined],
  ['a date', 'Fri, 06 Nov 2026 08:50:00 GMT', 30_000],
  ['a date of RFC 850', 'Friday, 06-Nov-26 08:50:00 GMT', 30_000],
  ['a date of asctime', 'Fri Nov  6 08:50:00 2026', 30_000],
  ['a date that is over', 'Fri, 06 Nov 2026 08:49:00 GMT', 0],
  ['a date years ahead', 'Wed, 06 Nov 2030 08:49:00 GMT', 6 * hour],
  ['a date that does not exist', 'Fri, 99 Foo 2026 08:50:00 GMT', undefined],
])('reads %s', (_what, retryAfter, expected) => {
  expect(retryAfterMs({ retryAfter, date: undefined, now })).toBe(expected);
});

it('compares a date with the clock of the server, where that says what it shows', () => {
  const date = 'Fri, 06 Nov 2026 06:00:00 GMT';
  const retryAfter = 'Fri, 06 Nov 2026 06:01:00 GMT';
  expect(retryAfterMs({ retryAfter, date, now })).toBe(60_000);
});
