import { sql } from 'kysely';
import { openDatabase } from '../../database/open-database.ts';
import { untilAborted } from '../../until-aborted.ts';
import { createsPublic } from '../archive/describe-archive.ts';
import { runTogether } from '../parts/run-together.ts';
import { findPostgresProgram } from '../tools/find-postgres-program.ts';
import { compareRestored, type RestoredRows } from './compare-restored.ts';
import { gatherStatistics } from './gather-statistics.ts';
import { loadArchive } from './load-archive.ts';
import type { RestorePlan } from './plan-restore.ts';
import type { RestoreWork } from './restore-backup.ts';
import { createScratchDatabase } from './scratch-database.ts';

/** What a restore into the scratch database needs, whatever becomes of that database. */
export type BesideWork = Pick<
  RestoreWork,
  | ('set' | 'identity' | 'archivePath' | 'connection' | 'maintenance' | 'serverOptions' | 'applicationName')
  | ('toolsDirectory' | 'workDirectory' | 'jobs' | 'stallLimitMs' | 'clock' | 'env' | 'secrets' | 'log')
  | ('progress' | 'signal')
> & { plan: Pick<RestorePlan, 'scratch' | 'owner' | 'serverMajor'> };

/**
 * Restores a set into the scratch database and compares it with the manifest, where there is one. Where it fails, the
 * caller drops that database.
 */
export async function restoreBeside(work: BesideWork): Promise<RestoredRows & Pick<RestoreWork, 'toc'>> {
  const { plan, set, connection, applicationName, clock, progress, signal, env } = work;
  const pgRestore = await findPostgresProgram({
    name: 'pg_restore',
    major: plan.serverMajor,
    toolsDirectory: work.toolsDirectory,
    env,
    signal,
  });
  const { scratch } = plan;
  const facts = set.manifest.database;
  await progress.step(`Create database "${scratch}"`, async () => {
    const creating = createScratchDatabase({
      ...work,
      ...plan,
      name: scratch,
      database: connection.database,
      facts,
    });
    await untilAborted(signal, creating);
  });

  await using db = openDatabase({
    connection: { ...connection, database: scratch },
    applicationName,
    statementTimeoutMs: 0,
  });
  if (set.foreign && createsPublic(set.foreign.toc)) await sql`drop schema public`.execute(db);
  const toc = await progress.step(
    'Load the dump',
    async () => await loadArchive({ ...work, database: scratch, pgRestore }),
  );

  const looking = set.foreign ? 'Count the rows' : 'Compare with the manifest';
  const restored = await progress.step(`${looking} and gather statistics`, async () => {
    // Reading a table through keeps one processor busy, and sampling others keeps the next.
    const rows = Promise.withResolvers<RestoredRows>();
    await runTogether({
      signal,
      joints: [],
      members: [
        async (stop) => rows.resolve(await untilAborted(stop, compareRestored({ db, set, clock }))),
        async (stop) => {
          const statistics = { ...work, db, database: scratch, serverMajor: plan.serverMajor };
          await gatherStatistics({ ...statistics, signal: stop });
        },
      ],
    });
    return await rows.promise;
  });
  return { ...restored, toc };
}
