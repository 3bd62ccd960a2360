import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCron } from '../../src/schedules/parse-cron.ts';
import { cronTexts, spoiltTexts } from './support/cron-texts.ts';
import { cron } from './support/schedule.ts';

const nicknames = '@hourly @daily @midnight @weekly @monthly @yearly @annually';
const five = `write five (minute, hour, day of month, month, day of week) or one of ${nicknames}`;

describe('parseCron', () => {
  it.each([
    { text: '5 0 * * *', times: [5], days: 31, months: 12, weekdays: 7 },
    { text: '15,45 22-23 * * 1-5', times: [1335, 1365, 1395, 1425], days: 31, months: 12, weekdays: 5 },
    { text: '23 0-23/8 * * *', times: [23, 503, 983], days: 31, months: 12, weekdays: 7 },
    { text: '*/25 1 1,15 jan-MAR Sun', times: [60, 85, 110], days: 2, months: 3, weekdays: 1 },
    { text: '30-59/15,0,7 00 031 2-12/5 *', times: [0, 7, 30, 45], days: 1, months: 3, weekdays: 7 },
    { text: '59 23 29 2 0,7', times: [1439], days: 1, months: 1, weekdays: 1 },
    { text: '0 0 * * 5-7', times: [0], days: 31, months: 12, weekdays: 3 },
    { text: '*/90 0 */40 */13 */7', times: [0], days: 1, months: 1, weekdays: 1 },
    { text: ' \t0\t12  *  * \t* ', times: [720], days: 31, months: 12, weekdays: 7 },
    { text: '0 0 1,31 2 *', times: [0], days: 2, months: 1, weekdays: 7 },
    { text: '0 0 31 2,3 *', times: [0], days: 1, months: 2, weekdays: 7 },
    { text: '0 0 31 2 mon', times: [0], days: 1, months: 1, weekdays: 1 },
    { text: '0 0 31 2 1,*', times: [0], days: 1, months: 1, weekdays: 7 },
  ])('reads $text', ({ text, times, days, months, weekdays }) => {
    const { days: d, months: m, weekdays: w, times: found } = cron(text);
    expect({ times: found, days: d.size, months: m.size, weekdays: w.size }).toEqual({
      times,
      days,
      months,
      weekdays,
    });
  });

  it.each([
    ['@hourly', '0 * * * *'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@weekly', '0 0 * * 0'],
    ['@monthly', '0 0 1 * *'],
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
  ])('reads %s as %s', (nickname, text) => expect(cron(nickname)).toEqual(cron(text)));

  it('counts both 0 and 7 as Sunday, and names in any case', () => {
    const sunday = cron('0 0 * * 0');
    for (const text of ['0 0 * * 7', '0 0 * * sun', '0 0 * * SUN']) expect(cron(text)).toEqual(sunday);
    expect([...sunday.weekdays]).toEqual([0]);
    expect([...cron('0 0 1 dec *').months]).toEqual([12]);
  });

  it.each([
    ['0 0 1 * 1', true],
    ['0 0 * * 1', false],
    ['0 0 1 * *', false],
    ['0 0 */2 * 1', false],
    ['0 0 1 * */2', false],
    ['0 0 *,5 * 1', false],
    ['0 0 5,* * 1', true],
  ])('of the two fields of days in %s, one is enough: %s', (text, isEitherDay) => {
    expect(cron(text).isEitherDay).toBe(isEitherDay);
  });

  it.each([
    ['*/15 2 * * *', true],
    ['0 * * * *', true],
    ['0 */2 * * *', true],
    ['*,5 2 * * *', true],
    ['@hourly', true],
    ['0-59 0-23 * * *', false],
    ['5,* 2 * * *', false],
    ['30 2 * * *', false],
    ['@daily', false],
  ])('%s goes by the real clock when the clocks change: %s', (text, isFrequent) => {
    expect(cron(text).isFrequent).toBe(isFrequent);
  });

  it.each([
    ['', `"" has 0 fields: ${five}`],
    [' \t ', `"" has 0 fields: ${five}`],
    ['5', `"5" has 1 field: ${five}`],
    ['0  0 * *', `"0 0 * *" has 4 fields: ${five}`],
    ['0 30 2 * * *', `"0 30 2 * * *" has 6 fields: ${five}`],
    ['@reboot', `"@reboot" is none of ${nicknames}`],
    ['@Daily', `"@Daily" is none of ${nicknames}`],
    ['@daily 5', `"@daily 5" is none of ${nicknames}`],
    ['@', `"@" is none of ${nicknames}`],
    ['60 * * * *', 'minute: "60" is not from 0 to 59'],
    ['0 24 * * *', 'hour: "24" is not from 0 to 23'],
    ['0 0 0 * *', 'day of month: "0" is not from 1 to 31'],
    ['0 0 1-32 * *', 'day of month: "32" in "1-32" is not from 1 to 31'],
    ['0 0 * 13 *', 'month: "13" is not from 1 to 12 or from jan to dec'],
    ['0 0 * january *', 'month: "january" is not from 1 to 12 or from jan to dec'],
    ['0 0 * * 8', 'day of week: "8" is not from 0 to 7 or from sun to sat'],
    ['0 0 * * jan', 'day of week: "jan" is not from 0 to 7 or from sun to sat'],
    ['mon 0 * * *', 'minute: "mon" is not from 0 to 59'],
    ['1.5 0 * * *', 'minute: "1.5" is not from 0 to 59'],
    ['-5 0 * * *', 'minute: "" in "-5" is not from 0 to 59'],
    ['5- 0 * * *', 'minute: "" in "5-" is not from 0 to 59'],
    ['1-2-3 0 * * *', 'minute: "2-3" in "1-2-3" is not from 0 to 59'],
    ['*5 0 * * *', 'minute: "*5" is not from 0 to 59'],
    ['*-5 0 * * *', 'minute: "*" in "*-5" is not from 0 to 59'],
    ['99999999999999999999 0 * * *', 'minute: "99999999999999999999" is not from 0 to 59'],
    ['0 0 L * *', 'day of month: "L" is not from 1 to 31'],
    ['0 0 15W * *', 'day of month: "15W" is not from 1 to 31'],
    ['0 0 ? * *', 'day of month: "?" is not from 1 to 31'],
    ['0 0 * * 5#2', 'day of week: "5#2" is not from 0 to 7 or from sun to sat'],
    ['0\n0 0 * * *', 'minute: "0\\n0" is not from 0 to 59'],
    ['0 \u00a0 * * *', 'hour: "\u00a0" is not from 0 to 23'],
    ['1,,2 0 * * *', 'minute: "1,,2" has an empty part: write values between commas'],
    ['0 1, * * *', 'hour: "1," has an empty part: write values between commas'],
    ['*/0 * * * *', 'minute: "*/0" needs a whole number from 1 on after "/"'],
    ['*/ * * * *', 'minute: "*/" needs a whole number from 1 on after "/"'],
    ['*/x * * * *', 'minute: "*/x" needs a whole number from 1 on after "/"'],
    ['0-9/2/2 * * * *', 'minute: "0-9/2/2" needs a whole number from 1 on after "/"'],
    ['0 0 * */feb *', 'month: "*/feb" needs a whole number from 1 on after "/"'],
    ['5/15 * * * *', 'minute: "5/15" steps from a single value: write "5-59/15"'],
    ['0 0 * jan/3 *', 'month: "jan/3" steps from a single value: write "1-12/3"'],
    ['50-10 * * * *', 'minute: "50-10" runs backwards: write "50-59,0-10"'],
    ['0 22 * * fri-mon', 'day of week: "fri-mon" runs backwards: write "5-7,0-1"'],
    ['0 0 31 2 *', 'day of month: "31" never comes: month "2" has 29 days at most'],
    ['0 0 30,31 feb *', 'day of month: "30,31" never comes: month "feb" has 29 days at most'],
    ['0 0 31 4,6 *', 'day of month: "31" never comes: month "4,6" has 30 days at most'],
    ['0 0 31 4-6/2 */2', 'day of month: "31" never comes: month "4-6/2" has 30 days at most'],
    [
      `${'1,'.repeat(50)} 0 * * *`,
      `minute: "${'1,'.repeat(30)}..." has an empty part: write values between commas`,
    ],
  ])('refuses %j', (text, problem) => expect(parseCron(text)).toEqual({ problem }));

  it('takes a 29 February', () => expect(cron('0 0 29 2 *').days).toEqual(new Set([29])));

  it('takes what it suggests', () => {
    fc.assert(
      fc.property(fc.oneof(cronTexts, spoiltTexts), (text) => {
        const parsed = parseCron(text);
        if (!('problem' in parsed)) return;
        const [, bad, right] = /"(.*)" (?:steps|runs) .*: write "(.*)"$/.exec(parsed.problem) ?? [];
        if (bad === undefined || right === undefined || text.length > 60) return;
        expect(parseCron(text.replace(bad, right))).not.toEqual(parsed);
      }),
    );
  });

  it('is done with a long text at once', () => {
    for (const text of [' '.repeat(200_000), `1${' '.repeat(200_000)}x`, `${'9'.repeat(200_000)} * * * *`]) {
      expect(parseCron(text)).toHaveProperty('problem');
    }
  });
});
