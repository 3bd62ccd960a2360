import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** An application whose sessions become more and more. */
export interface RisingApplication {
  /** `user cms` for sessions without a name. */
  application: string;
  /** Its fewest sessions in the first and in the last quarter of the time looked at. */
  from: number;
  to: number;
  /** The time looked at. */
  overMs: number;
  /** When no session is left at this pace, from now. */
  exhaustedInMs: number;
}

interface Sample {
  atMs: number;
  total: number;
  byApplication: Record<string, number>;
}

const hour = 3_600_000;
const fewestSamples = 8;

/**
 * The applications that leak, as far as the samples of the last day show it, the fastest first.
 *
 * What rises is the fewest sessions that an application had in each quarter of the time looked at: load comes and goes,
 * and goes back to the same few; a leak does not. Over a whole day any such rise is told, provided that it comes to five
 * sessions; over six hours, three and one, only a rise that leaves no session within a day, since a morning rises too. It must go on in
 * the last quarter: a pool that has filled up is no leak.
 */
export async function findRisingApplications(options: {
  db: Kysely<Database>;
  /** Sessions that ordinary roles can have. */
  available: number;
}): Promise<RisingApplication[]> {
  const { rows } = await sql<Sample & { nowMs: number }>`
    select extract(epoch from sampled_at)::float8 * 1000 as "atMs", total, by_application as "byApplication",
           extract(epoch from now())::float8 * 1000 as "nowMs"
      from tend.connection_samples where sampled_at > now() - interval '1 day' order by sampled_at`.execute(
    options.db,
  );
  const nowMs = rows[0]?.nowMs ?? 0;
  const found = new Map<string, RisingApplication>();
  for (const hours of [24, 6, 3, 1]) {
    const samples = rows.filter(({ atMs }) => atMs > nowMs - hours * hour);
    for (const one of risingIn(samples, options.available)) {
      const isTold = hours === 24 || one.exhaustedInMs < 24 * hour;
      if (isTold && !found.has(one.application)) found.set(one.application, one);
    }
  }
  return [...found.values()].sort((left, right) => left.exhaustedInMs - right.exhaustedInMs);
}

function risingIn(samples: readonly Sample[], available: number): RisingApplication[] {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (samples.length < fewestSamples || first === undefined || last === undefined) return [];
  const overMs = last.atMs - first.atMs;
  return Object.keys(last.byApplication).flatMap((application) => {
    const lows = lowsOf(samples, application, 4);
    const [from = 0, to = 0] = [lows.at(0), lows.at(-1)];
    const isRising = lows.every((low, index) => index === 0 || low > (lows[index - 1] ?? 0));
    const [before = 0, lately = 0] = lowsOf(samples, application, 8).slice(-2);
    // A sixth of the whole is what a steady rise adds from eighth to eighth; a third of that will do.
    const goesOn = lately - before >= (to - from) / 18;
    if (!isRising || !goesOn || to - from < 5) return [];
    // From the middle of the first quarter to that of the last three quarters of the time have passed.
    const perMs = (to - from) / (overMs * 0.75);
    return [{ application, from, to, overMs, exhaustedInMs: Math.max(0, (available - last.total) / perMs) }];
  });
}

/** The fewest sessions of an application in each of so many parts of the time. */
function lowsOf(samples: readonly Sample[], application: string, parts: number): number[] {
  const size = samples.length / parts;
  return Array.from({ length: parts }, (_, n) => {
    const part = samples.slice(Math.round(n * size), Math.round((n + 1) * size));
    return Math.min(...part.map(({ byApplication }) => byApplication[application] ?? 0));
  });
}
