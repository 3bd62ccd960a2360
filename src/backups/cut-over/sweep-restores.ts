import { rm } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { Log } from '../../log.ts';
import { removeFresh } from '../restore/fresh-files.ts';
import { dropDatabase } from '../restore/scratch-database.ts';
import type { UnfinishedRestore } from './find-unfinished-restores.ts';
import { swapFilesBack } from './swap-files.ts';

/**
 * Takes back what restores that were killed before their cut-over have left: files that had changed places already,
 * files and databases that nobody will use. The caller holds the lock, so no process is at it any more.
 */
export async function sweepRestores(options: {
  unfinished: readonly UnfinishedRestore[];
  maintenance: Kysely<Database>;
  env: NodeJS.ProcessEnv;
  log: Log;
}): Promise<void> {
  const { unfinished, maintenance, log } = options;
  for (const { facts, record, hasCutOver } of unfinished) {
    if (hasCutOver || record === undefined) continue;
    const { into } = facts;
    const when = into === undefined ? 'before it had replaced anything' : `while it restored into "${into}"`;
    log.warn(`Restore ${facts.id} was killed ${when}: removing what it left.`);
    await swapFilesBack(facts.files, log);
    await dropDatabase(maintenance, facts.scratch);
    await removeFresh(facts.files, options);
    await rm(record.path, { force: true });
  }
}
