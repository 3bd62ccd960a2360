import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** A host as the queue knows it. */
export interface HostState {
  host: string;
  /** Null for a host that has never ticked and runs something all the same: a command typed by a person. */
  lastTickAt: Date | null;
  /** By the database's clock. */
  lastTickAgeMs: number | null;
  firstSeenAt: Date | null;
  ticks: number;
  /** When a tick there had something to do last, and how it ended. */
  lastBusyAt: Date | null;
  lastOutcome: string | null;
  /** Tasks that run there now. */
  running: number;
}

/** Every host that ticks or has ticked, or runs a task, by name. */
export async function findHosts(db: Kysely<Database>): Promise<HostState[]> {
  const { rows } = await sql<HostState>`
    select coalesce(h.host, r.host) as host, h.last_tick_at as "lastTickAt",
           round(extract(epoch from now() - h.last_tick_at) * 1000)::float8 as "lastTickAgeMs",
           h.first_seen_at as "firstSeenAt", coalesce(h.ticks, 0) as ticks, h.last_busy_at as "lastBusyAt",
           h.last_outcome as "lastOutcome", coalesce(r.running, 0) as running
      from tend.hosts h
      full join (select split_part(lease_owner, ':', 1) as host, count(*) as running
                   from tend.tasks where state = 'running' group by 1) r on r.host = h.host
     order by 1`.execute(db);
  return rows;
}
