import type { BenchDatabase } from './bench.ts';

/** A million tasks that are due tomorrow and later, and a million that ended in the last hours. */
export async function fillTend({ client }: BenchDatabase): Promise<void> {
  await client.query(`
    insert into tend.tasks (kind, run_at)
    select 'noop', now() + interval '1 day' + n * interval '1 s' from generate_series(1, 1000000) n`);
  await client.query(`
    insert into tend.tasks (kind, run_at, state, attempt, started_at, finished_at, last_error)
    select 'noop', at, case when n % 10 = 0 then 'failed' else 'succeeded' end, 1, at, at,
           case when n % 10 = 0 then 'it failed' end
      from generate_series(1, 1000000) n, lateral (select now() - n * interval '10 ms' as at) as time`);
}

/** The same in graphile-worker's table; finished jobs that it keeps are those that failed for good. */
export async function fillGraphile({ client }: BenchDatabase): Promise<void> {
  await client.query(`insert into graphile_worker._private_tasks (identifier) values ('noop')`);
  await client.query(`
    insert into graphile_worker._private_jobs (task_id, run_at)
    select t.id, now() + interval '1 day' + n * interval '1 s'
      from graphile_worker._private_tasks t, generate_series(1, 1000000) n`);
  await client.query(`
    insert into graphile_worker._private_jobs (task_id, run_at, attempts, last_error)
    select t.id, now() - n * interval '10 ms', 25, 'it failed'
      from graphile_worker._private_tasks t, generate_series(1, 1000000) n`);
}

/** The same in pg-boss's table. */
export async function fillBoss({ client }: BenchDatabase): Promise<void> {
  await client.query(`
    insert into pgboss.job (name, start_after)
    select 'noop', now() + interval '1 day' + n * interval '1 s' from generate_series(1, 1000000) n`);
  await client.query(`
    insert into pgboss.job (name, state, start_after, created_on, started_on, completed_on)
    select 'noop', (case when n % 10 = 0 then 'failed' else 'completed' end)::pgboss.job_state, at, at, at, at
      from generate_series(1, 1000000) n, lateral (select now() - n * interval '10 ms' as at) as time`);
}
