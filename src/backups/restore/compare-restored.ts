import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { countRows } from '../create/count-rows.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { totalRows } from '../sets/manifest.ts';
import { compareWithManifest } from './compare-with-manifest.ts';
import type { RestoreResult } from './restore-options.ts';

/** What a restored database holds, and whether that is known to be what was dumped. */
export type RestoredRows = Pick<RestoreResult, 'tables' | 'rows' | 'compared'>;

/**
 * Compares a restored database with the manifest of its set. An archive that tend did not make has none: what is
 * compared then is which tables are there, and the rows are counted.
 *
 * @throws TendError RESTORE_REFUSED naming the first difference.
 */
export async function compareRestored(options: {
  db: Kysely<Database>;
  set: BackupSet;
  clock: Clock;
}): Promise<RestoredRows> {
  const { db, set, clock } = options;
  const { manifest, foreign } = set;
  const tables = await countRows({ db, clock });
  const differences = await compareWithManifest({
    db,
    manifest,
    tables,
    largeObjects: foreign ? 'unknown' : 'known',
  });
  if (differences.length > 0) throw differs(set.id, differences);
  return { tables: tables.length, rows: totalRows(tables), compared: foreign === undefined };
}

function differs(id: string, differences: string[]): TendError {
  const [first = '', ...others] = differences;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new TendError(
    'RESTORE_REFUSED',
    `What was restored from "${id}" is not what was dumped: ${first}${more}.`,
    {
      isPermanent: true,
      details: differences.join('\n'),
      hint: 'Nothing was changed. See the other sets: tend backup list',
    },
  );
}
