import { PgBoss } from 'pg-boss';
import { databaseOver } from '../../src/database/open-database.ts';
import { SessionPool } from '../../src/database/session-pool.ts';
import { beginTick } from '../../src/tasks/begin-tick.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import type { BenchDatabase } from './bench.ts';

/** What one side sends to find out that there is nothing to do, over one session. */
export interface IdleLook extends AsyncDisposable {
  /** Throws if there was something. */
  look(): Promise<void>;
}

const day = 24 * 60 * 60 * 1000;

/** The first statement of a tick, which also notes that the host is alive. */
export function tendLook({ connection }: BenchDatabase): IdleLook {
  const worker = workerIdentity('bench');
  const sessions = new SessionPool({ connection, applicationName: 'bench' });
  const openDatabase = async () => databaseOver(sessions);
  return {
    async look() {
      const { isAnythingDue, hasFinishedToPrune } = await beginTick({
        ...{ sessions, openDatabase, worker, keepSucceededMs: 7 * day, keepEndedMs: 30 * day },
      });
      if (isAnythingDue || hasFinishedToPrune) throw new Error('The tick was not idle.');
    },
    [Symbol.asyncDispose]: () => sessions.end(),
  };
}

type GetJobs = (...args: unknown[]) => Promise<unknown[]>;

/** The claim of graphile-worker, from the file that holds it: its interface has no way to claim only. */
export async function graphileLook({ client }: BenchDatabase): Promise<IdleLook> {
  const file = new URL('sql/getJobs.js', import.meta.resolve('graphile-worker'));
  // Its own type needs half of graphile-worker's internals; this is how worker.js calls it.
  const { batchGetJobs } = (await import(file.href)) as { batchGetJobs: GetJobs };
  const worker = { preparedStatements: true, useNodeTime: false };
  const options = {
    ...{ escapedWorkerSchema: 'graphile_worker', workerSchema: 'graphile_worker' },
    ...{ resolvedPreset: { worker }, logger: { error: () => undefined } },
  };
  const withClient = <T>(action: (given: typeof client) => Promise<T>) => action(client);
  const withPgClient = Object.assign(withClient, { withRetries: withClient });
  return {
    async look() {
      const jobs = await batchGetJobs(options, withPgClient, { noop: () => undefined }, 'bench', null, 1);
      if (jobs.length > 0) throw new Error('graphile-worker found a job.');
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The fetch of pg-boss. */
export async function bossLook({ url }: BenchDatabase): Promise<IdleLook> {
  const boss = new PgBoss({ connectionString: url, max: 1, supervise: false, schedule: false });
  await boss.start();
  return {
    async look() {
      if ((await boss.fetch('noop')).length > 0) throw new Error('pg-boss found a job.');
    },
    [Symbol.asyncDispose]: () => boss.stop(),
  };
}
