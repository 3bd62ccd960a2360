import { type QueryExecutorProvider, sql } from 'kysely';
import { adopt } from './adopt.ts';
import { attach } from './attach.ts';
import { cancel } from './cancel.ts';
import { checkCron } from './check-cron.ts';
import { copiedFrom } from './copied-from.ts';
import { enqueue } from './enqueue.ts';
import { enqueueFollowUps } from './enqueue-follow-ups.ts';
import { health } from './health.ts';
import { retry } from './retry.ts';
import { sampleConnections } from './sample-connections.ts';
import { schedule } from './schedule.ts';
import { scheduleOverview } from './schedule-overview.ts';
import { suppress } from './suppress.ts';
import { systemIdentifier } from './system-identifier.ts';
import { task } from './task.ts';
import { taskOverview } from './task-overview.ts';
import { unschedule } from './unschedule.ts';
import { unsuppress } from './unsuppress.ts';

/**
 * Creates the functions and views of schema `tend`, or brings them to this program's version; runs after the migrations
 * of the tables, in their transaction. They are no migrations themselves: each has one text, the newest. Rights that
 * were granted on them stay.
 *
 * All run with `pg_catalog, pg_temp` as search path. An empty one would not do: unless it is named, pg_temp is searched
 * first for types, and a caller's own domain "text" would run its CHECK as the owner (PostgreSQL manual, CREATE FUNCTION,
 * "Writing SECURITY DEFINER functions safely").
 */
export async function createSqlApi(db: QueryExecutorProvider): Promise<void> {
  for (const statement of sqlApi) await sql.raw(statement).execute(db);
  await sql.raw('revoke all on all functions in schema tend from public').execute(db);
}

/** In an order in which each finds what it names. */
const sqlApi = [
  ...[systemIdentifier, copiedFrom, adopt],
  ...[checkCron, attach, enqueue, enqueueFollowUps, cancel, retry, task, schedule, unschedule],
  ...[suppress, unsuppress, sampleConnections],
  ...[taskOverview, scheduleOverview, health],
];
