import { PgBoss } from 'pg-boss';
import type { Bench, BenchDatabase } from './bench.ts';
import { measureProgram } from './measure-program.ts';
import { graphileWorker } from './programs.ts';

/** A database with graphile-worker's schema. */
export async function createGraphileDatabase(bench: Bench, name: string): Promise<BenchDatabase> {
  const database = await bench.createDatabase(name, { isMigrated: false });
  await measureProgram(graphileWorker(bench, database, '--schema-only'));
  return database;
}

/** A database with pg-boss's schema and `queues` as it makes them by default. */
export async function createBossDatabase(
  bench: Bench,
  name: string,
  queues: readonly string[] = ['noop'],
): Promise<BenchDatabase> {
  const database = await bench.createDatabase(name, { isMigrated: false });
  await withBoss(database, async (boss) => {
    for (const queue of queues) await boss.createQueue(queue);
  });
  return database;
}

/** Runs `action` with pg-boss in this process, over one session and without anything in the background. */
export async function withBoss<T>({ url }: BenchDatabase, action: (boss: PgBoss) => Promise<T>): Promise<T> {
  const boss = new PgBoss({ connectionString: url, max: 1, supervise: false, schedule: false });
  await boss.start();
  try {
    return await action(boss);
  } finally {
    await boss.stop();
  }
}
