import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTimezone } from '../../src/schedules/check-timezone.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const anExample = 'write a place such as "Europe/Warsaw", or "UTC"';

describe('checkTimezone', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it.each([
    ...['UTC', 'Europe/Warsaw', 'Europe/Kyiv', 'Asia/Calcutta', 'Asia/Kolkata', 'Antarctica/DumontDUrville'],
    ...[
      'America/Argentina/Buenos_Aires',
      'America/Port-au-Prince',
      'Etc/GMT+5',
      'EST5EDT',
      'US/Eastern',
      'CET',
    ],
  ])('takes %s', (name) => expect(checkTimezone(name)).toBeUndefined());

  it('takes every zone that Intl lists', () => {
    expect(Intl.supportedValuesOf('timeZone').filter((name) => checkTimezone(name) !== undefined)).toEqual(
      [],
    );
  });

  it.each([
    ['', `"" is no time zone: ${anExample}`],
    ['+02:00', `"+02:00" is an offset, which knows no daylight saving time: ${anExample}`],
    ['-0330', `"-0330" is an offset, which knows no daylight saving time: ${anExample}`],
    ['UTC+2', `"UTC+2" is an offset, which knows no daylight saving time: ${anExample}`],
    ['PST', '"PST" is an abbreviation, not a time zone: write a place such as "America/Los_Angeles"'],
    ['XYZ', `"XYZ" is an abbreviation, not a time zone: ${anExample}`],
    ['CEST', `"CEST" is no time zone: ${anExample}`],
    ['Europe/Warszawa', '"Europe/Warszawa" is no time zone: did you mean "Europe/Warsaw"?'],
    ['europe/warsaw', '"europe/warsaw" is no time zone: did you mean "Europe/Warsaw"?'],
    ['Warsaw', '"Warsaw" is no time zone: did you mean "Europe/Warsaw"?'],
    ['new york', '"new york" is no time zone: did you mean "America/New_York"?'],
    ['UTCC', '"UTCC" is no time zone: did you mean "UTC"?'],
    ['SystemV/EST5', `"SystemV/EST5" is no time zone: ${anExample}`],
    ['US/Pacific-New', `"US/Pacific-New" is no time zone: ${anExample}`],
    ['local', `"local" is no time zone: ${anExample}`],
    ['Europe/Warsaw ', '"Europe/Warsaw " is no time zone: did you mean "Europe/Warsaw"?'],
    ['x'.repeat(100_000), `"${'x'.repeat(60)}..." is no time zone: ${anExample}`],
  ])('refuses %j', (name, problem) => expect(checkTimezone(name)).toBe(problem));

  const icuAlone =
    'ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST';
  it.each(icuAlone.split(' '))('refuses %s, which Node takes and PostgreSQL does not', async (name) => {
    expect(() => new Intl.DateTimeFormat('en-US', { timeZone: name })).not.toThrow();
    expect(await database.query('select from pg_timezone_names where name = $1', [name])).toEqual([]);
    expect(checkTimezone(name)).toMatch(/is an abbreviation, not a time zone: write a place such as "[A-Z]/);
  });

  it('takes every name of three letters that is a zone to PostgreSQL', async () => {
    const rows = await database.query<{ name: string }>(
      `select name from pg_timezone_names where name ~ '^[A-Z]{3}$'`,
    );
    expect(rows.filter(({ name }) => checkTimezone(name) !== undefined)).toEqual([]);
  });
});
