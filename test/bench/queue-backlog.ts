import type { BenchDatabase } from './bench.ts';
import { withBoss } from './install-peers.ts';

/** How one side’s queue is filled with tasks that do nothing, and looked at afterwards. */
export interface Backlog {
  /** Empties the queue, enqueues `count` due tasks through the side's own function, and analyses the table. */
  fill(database: BenchDatabase, count: number): Promise<void>;
  /** Throws unless all `count` tasks are done, and on record where the side keeps one. */
  requireDone(database: BenchDatabase, count: number): Promise<void>;
}

export const tendBacklog: Backlog = {
  async fill({ client }, count) {
    await client.query(`truncate tend.tasks, tend.attempts, tend.deliveries;
      select count(tend.enqueue('noop', jsonb_build_object('id', n))) from generate_series(1, ${count}) n;
      analyze tend.tasks`);
  },
  async requireDone(database, count) {
    await require(database, 0, `tend.tasks where state <> 'succeeded'`);
    await require(database, count, `tend.attempts where outcome = 'succeeded'`);
  },
};

export const graphileBacklog: Backlog = {
  async fill({ client }, count) {
    await client.query(`select count(*) from graphile_worker.add_jobs(array(
        select row('noop', json_build_object('id', n), null, null, null, null, null, null)::graphile_worker.job_spec
          from generate_series(1, ${count}) n));
      analyze graphile_worker._private_jobs`);
  },
  async requireDone(database) {
    await require(database, 0, 'graphile_worker.jobs');
  },
};

export const bossBacklog: Backlog = {
  async fill(database, count) {
    await database.client.query('truncate pgboss.job');
    const jobs = Array.from({ length: count }, (_, id) => ({ data: { id } }));
    await withBoss(database, (boss) => boss.insert('noop', jobs));
    await database.client.query('analyze pgboss.job_common');
  },
  async requireDone(database, count) {
    await require(database, 0, `pgboss.job where state <> 'completed'`);
    await require(database, count, 'pgboss.job');
  },
};

async function require({ client }: BenchDatabase, expected: number, from: string): Promise<void> {
  const { rows } = await client.query<{ count: number }>(`select count(*)::integer from ${from}`);
  const count = rows[0]?.count ?? Number.NaN;
  if (count !== expected) throw new Error(`There are ${count} of ${from}, not ${expected}.`);
}
