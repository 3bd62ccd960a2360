import { rm } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { formatDuration } from '../../duration.ts';
import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { dropDatabase } from '../restore/scratch-database.ts';
import { timeOfBackupId } from '../sets/backup-id.ts';
import { findMarkedDatabases } from './find-marked-databases.ts';
import { findRestores, type RestoreRecord } from './find-restores.ts';
import { hasEnded } from './find-unfinished-restores.ts';
import { dropKeptFiles } from './swap-files.ts';

export interface DropOldReplacedOptions {
  /** A session outside of all of them. */
  maintenance: Kysely<Database>;
  /** The live database. */
  database: string;
  /** Where the journals are: see `findRestoreDirectory`. */
  directory: string;
  /** `[backup] keep_replaced`. */
  keepMs: number;
  clock: Clock;
  log: Log;
}

/**
 * Drops what restores have kept for longer than `keepMs`: the databases that they replaced, those of a way back, the
 * files that went with them and the journals. What an unfinished restore has left is never dropped, however old: it
 * may be the only way back. One that cannot be dropped stays, with a warning.
 *
 * @returns the names of the databases that were dropped.
 */
export async function dropOldReplaced(options: DropOldReplacedOptions): Promise<string[]> {
  const { maintenance, database, directory, log } = options;
  const records = await findRestores({ directory, database });
  const marked = await findMarkedDatabases(maintenance, database);
  const recordOf = (id: string) => records.find(({ facts }) => facts.id === id);
  const dropped: string[] = [];
  for (const { name, mark } of marked) {
    const record = recordOf(mark.id);
    if (!isOld(mark.id, options) || isNeeded(record) || (mark.kind === 'kept' && !mark.hasEnded)) continue;
    log.info(`Dropping database "${name}": kept since restore ${mark.id}, ${ageOf(mark.id, options)} ago.`);
    try {
      await dropDatabase(maintenance, name);
      dropped.push(name);
    } catch (error) {
      log.warn(`Database "${name}" could not be dropped: ${toError(error).message}`);
    }
  }
  const left = new Set(marked.filter(({ name }) => !dropped.includes(name)).map(({ mark }) => mark.id));
  for (const record of records) {
    if (isOld(record.facts.id, options) && !isNeeded(record) && !left.has(record.facts.id))
      await forget(record);
  }
  return dropped;
}

/** The same at the end of a restore, whose end it does not change: what cannot be done is left to the next one. */
export async function tryToDropOldReplaced(options: DropOldReplacedOptions): Promise<void> {
  try {
    await dropOldReplaced(options);
  } catch (error) {
    options.log.warn(`What earlier restores have kept was not looked at: ${toError(error).message}`);
  }
}

function isNeeded(record: RestoreRecord | undefined): boolean {
  return record !== undefined && !hasEnded(record);
}

function ageMs(id: string, { clock }: DropOldReplacedOptions): number {
  return clock.now().getTime() - timeOfBackupId(id).getTime();
}

function isOld(id: string, options: DropOldReplacedOptions): boolean {
  return ageMs(id, options) > options.keepMs;
}

function ageOf(id: string, options: DropOldReplacedOptions): string {
  return formatDuration(ageMs(id, options));
}

/** The journal goes last: as long as it is there, this is done again. */
async function forget({ facts, phase, path }: RestoreRecord): Promise<void> {
  if (phase === 'finished') await dropKeptFiles(facts.files);
  if (phase === 'undone')
    for (const { fresh } of facts.files) await rm(fresh, { recursive: true, force: true });
  await rm(path, { force: true });
}
