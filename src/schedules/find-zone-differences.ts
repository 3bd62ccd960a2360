import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { checkTimezone } from './check-timezone.ts';
import { zoneOffset } from './zone-offset.ts';

/** A time zone of a schedule about which this host and the server do not agree. */
export interface ZoneDifference {
  timezone: string;
  /** The first week in which their clocks differ; null where one of the two does not know the zone. */
  at: Date | null;
}

/**
 * The time zones of schedules for which Node (ICU) and PostgreSQL have other rules in the next two years, looked at week
 * by week: an old tzdata package on one side. Occurrences go by Node's.
 */
export async function findZoneDifferences(db: Kysely<Database>): Promise<ZoneDifference[]> {
  const { rows } = await sql<{ timezone: string; at: Date | null; offsetMs: number | null }>`
    select s.timezone, w.at, case when z.name is not null then
             extract(epoch from (w.at at time zone z.name) - (w.at at time zone 'UTC'))::float8 * 1000 end as "offsetMs"
      from (select distinct timezone from tend.schedules) s
      left join pg_timezone_names z on z.name = s.timezone
     cross join lateral (select date_trunc('hour', now()) + make_interval(weeks => n) as at
                           from generate_series(0, 104) n) w
     order by s.timezone, w.at`.execute(db);
  const differences = new Map<string, ZoneDifference>();
  for (const { timezone, at, offsetMs } of rows) {
    if (differences.has(timezone)) continue;
    if (offsetMs === null || at === null || checkTimezone(timezone) !== undefined)
      differences.set(timezone, { timezone, at: null });
    else if (zoneOffset(timezone, at.getTime()) !== offsetMs) differences.set(timezone, { timezone, at });
  }
  return [...differences.values()];
}
