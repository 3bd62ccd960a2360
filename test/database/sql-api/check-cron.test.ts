import * as fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCron } from '../../../src/database/sql-api/check-cron.ts';
import { parseCron } from '../../../src/schedules/parse-cron.ts';
import { cronTexts, spoiltTexts } from '../../schedules/support/cron-texts.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

function parsedProblem(text: string): string | null {
  const parsed = parseCron(text);
  return 'problem' in parsed ? parsed.problem : null;
}

describe('tend.check_cron', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createTestDatabase({ empty: true });
    await database.query('create schema tend');
    await database.query(checkCron);
    client = await database.connect();
  });
  afterAll(async () => {
    await client.end();
    await database[Symbol.asyncDispose]();
  });

  async function checked(texts: readonly (string | null)[]): Promise<(string | null)[]> {
    const { rows } = await client.query<{ problem: string | null }>(
      'select tend.check_cron(text) as problem from unnest($1::text[]) with ordinality as given (text, place) order by place',
      [texts],
    );
    return rows.map(({ problem }) => problem);
  }

  it.each([
    ['30 2 * * *', null],
    ['*/5 0-23/2 1,15 JAN-mar sun', null],
    ['@daily', null],
    ['0 0 29 2 *', null],
    ['0 0 31 2 mon', null],
    ['60 * * * *', 'minute: "60" is not from 0 to 59'],
    ['0 0 * * 1-9', 'day of week: "9" in "1-9" is not from 0 to 7 or from sun to sat'],
    ['5/15 * * * *', 'minute: "5/15" steps from a single value: write "5-59/15"'],
    ['0 22 * * fri-mon', 'day of week: "fri-mon" runs backwards: write "5-7,0-1"'],
    ['0 0 31 4,6 *', 'day of month: "31" never comes: month "4,6" has 30 days at most'],
    ['@reboot', '"@reboot" is none of @hourly @daily @midnight @weekly @monthly @yearly @annually'],
    [
      null,
      '"" has 0 fields: write five (minute, hour, day of month, month, day of week) or one of @hourly @daily @midnight @weekly @monthly @yearly @annually',
    ],
  ])('says of %j: %j', async (text, problem) => {
    expect(await checked([text])).toEqual([problem]);
    if (text !== null) expect(parsedProblem(text)).toBe(problem);
  });

  it('takes and refuses what parseCron does, in the same words', async () => {
    const texts = fc.array(fc.oneof({ weight: 3, arbitrary: spoiltTexts }, cronTexts), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        expect(await checked(given)).toEqual(given.map(parsedProblem));
      }),
      { numRuns: 150 },
    );
  });

  it('is not led astray by the caller, who may own a function of the same name as one of PostgreSQL', async () => {
    await client.query(`
      create schema mine;
      create function mine.split_part(text, text, integer) returns text language sql as $$ select '*' $$;
      set search_path = mine, pg_catalog`);
    expect(await checked(['99 * * * *'])).toEqual(['minute: "99" is not from 0 to 59']);
    await client.query('reset search_path');
  });

  it('can be put in place again, and serve in a constraint', async () => {
    await client.query(checkCron);
    await client.query('create temporary table rules (cron text check (tend.check_cron(cron) is null))');
    await client.query(`insert into rules values ('0 2 * * *')`);
    await expect(client.query(`insert into rules values ('0 25 * * *')`)).rejects.toThrow(/rules_cron_check/);
  });
});
