import * as v from 'valibot';
import { configSchema } from '../../../src/config/schema.ts';
import { type Log, silentLog } from '../../../src/log.ts';
import { materialiseOccurrences } from '../../../src/schedules/materialise-occurrences.ts';
import type { ConfiguredSchedules } from '../../../src/schedules/schedules-fingerprint.ts';
import { syncSchedules } from '../../../src/schedules/sync-schedules.ts';
import type { ScheduledOccurrences } from '../../../src/tasks/run-tick.ts';
import { createQueue, type Queue } from '../../tasks/support/queue.ts';

export interface OccurrenceRow extends Record<string, unknown> {
  id: number;
  slot: string;
  state: string;
  reason: string | null;
  host: string | null;
}

/** A queue with what the tests do to its schedules. */
export interface ScheduleQueue extends Queue {
  /** Brings schedules into the database as the tick of a host with this tend.toml does. */
  declare(schedules: Record<string, object>, host?: string): Promise<string[]>;
  /**
   * Lets a schedule have been planned last before `minutes` ago (on the minute), as if nobody had ticked since. The clock
   * of `materialise` stands still from then on, so that no minute begins in the middle of a test.
   */
  rewind(name: string, minutes: number): Promise<Date>;
  /** The clock of `materialise`: the database's, until `rewind` stops it. */
  now(): Promise<Date>;
  materialise(log?: Log): Promise<ScheduledOccurrences>;
  /** Plans new schedules as a tick does that comes at the moment they were defined: no minute has begun since. */
  plan(): Promise<ScheduledOccurrences>;
  /** Occurrences by slot; the slot as whole minutes before `now`, `-3` for three minutes ago. */
  occurrences(name: string): Promise<OccurrenceRow[]>;
  schedule(name: string): Promise<Record<string, unknown>>;
}

/** The `[schedules]` of a tend.toml, with its defaults. */
export function configuredSchedules(schedules: Record<string, object>): ConfiguredSchedules {
  return v.parse(configSchema, { schedules }).schedules;
}

export async function createScheduleQueue(): Promise<ScheduleQueue> {
  const queue = await createQueue();
  const { db, database } = queue;
  let stopped: Date | undefined;
  const now = async () => {
    const [clock] = await database.query<{ now: Date }>('select now()');
    return stopped ?? clock?.now ?? new Date();
  };
  return {
    ...queue,
    now,
    async declare(schedules, host = 'web1') {
      return await syncSchedules({ db, schedules: configuredSchedules(schedules), host });
    },
    async rewind(name, minutes) {
      stopped = await now();
      const [row] = await database.query<{ next_slot: Date }>(
        `update tend.schedules set next_slot = date_trunc('minute', $3::timestamptz) - $2 * interval '1 min'
          where name = $1 returning next_slot`,
        [name, minutes, stopped],
      );
      if (row === undefined) throw new Error(`There is no schedule ${name}.`);
      return row.next_slot;
    },
    async materialise(log = silentLog) {
      return await materialiseOccurrences({ db, now: await now(), log });
    },
    async plan() {
      const [row] = await database.query<{ now: Date }>('select max(defined_at) as now from tend.schedules');
      return await materialiseOccurrences({ db, now: row?.now ?? new Date(), log: silentLog });
    },
    async occurrences(name) {
      return await database.query<OccurrenceRow>(
        `select id::integer, state, reason, host,
                (extract(epoch from slot_at - date_trunc('minute', $2::timestamptz)) / 60)::integer::text as slot
           from tend.tasks where schedule = $1 order by slot_at, host, id`,
        [name, await now()],
      );
    },
    async schedule(name) {
      const [row] = await database.query('select * from tend.schedules where name = $1', [name]);
      if (row === undefined) throw new Error(`There is no schedule ${name}.`);
      return row;
    },
    async clear() {
      stopped = undefined;
      await queue.clear();
      await database.query('truncate tend.schedules, tend.pauses');
    },
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
    },
  };
}
