import * as v from 'valibot';
import { expect, it } from 'vitest';
import { statusThresholds } from '../../src/config/monitor-section.ts';

it('has a default only for what view tend.health does not judge', () => {
  expect(v.parse(statusThresholds, {})).toEqual({
    ...{ mail_unknown: 0, mail_deferred: 100, mail_server_failing: 900_000, catalogs_failed: 0 },
    connection_share: 80,
  });
});

it('reads ages as durations, numbers as numbers, the share as a percentage, and knows no other key', () => {
  expect(v.parse(statusThresholds, { tick_age: '15m', held: 2, connection_share: '50%' })).toMatchObject({
    ...{ tick_age: 900_000, held: 2, connection_share: 50 },
  });
  for (const wrong of [{ tick_age: 15 }, { held: -1 }, { connection_share: '101%' }, { tik_age: '1m' }])
    expect(v.safeParse(statusThresholds, wrong).success).toBe(false);
});
