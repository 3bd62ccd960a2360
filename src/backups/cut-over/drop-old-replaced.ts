import { rm } from 'node:fs/promises';
import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { dropDatabase } from '../restore/scratch-database.ts';
import type { RestoreRecord } from './find-restores.ts';
import { type OldReplacedOptions, planOldReplaced } from './plan-old-replaced.ts';
import { dropKeptFiles } from './swap-files.ts';

/**
 * Drops what restores have kept for longer than `keepMs`: the databases that they replaced, those of a way back, the
 * files that went with them and the journals. One that cannot be dropped stays, with a warning.
 *
 * @returns the names of the databases that were dropped.
 */
export async function dropOldReplaced(options: OldReplacedOptions & { log: Log }): Promise<string[]> {
  const { maintenance, log } = options;
  const { decisions, oldRecords } = await planOldReplaced(options);
  const dropped: string[] = [];
  for (const { name, restoreId, action, reason } of decisions) {
    if (action === 'keep') continue;
    log.info(`Dropping database "${name}" of restore ${restoreId}: ${reason}.`);
    try {
      await dropDatabase(maintenance, name);
      dropped.push(name);
    } catch (error) {
      log.warn(`Database "${name}" could not be dropped: ${toError(error).message}`);
    }
  }
  const left = decisions.filter(({ name }) => !dropped.includes(name)).map(({ restoreId }) => restoreId);
  for (const record of oldRecords) if (!left.includes(record.facts.id)) await forget(record);
  return dropped;
}

/** The same after something else, whose end it does not change: what cannot be done is left to the next time. */
export async function tryToDropOldReplaced(options: OldReplacedOptions & { log: Log }): Promise<string[]> {
  try {
    return await dropOldReplaced(options);
  } catch (error) {
    options.log.warn(`What earlier restores have kept was not looked at: ${toError(error).message}`);
    return [];
  }
}

/** The journal goes last: as long as it is there, this is done again. */
async function forget({ facts, phase, path }: RestoreRecord): Promise<void> {
  if (phase === 'finished') await dropKeptFiles(facts.files);
  if (phase === 'undone')
    for (const { fresh } of facts.files) await rm(fresh, { recursive: true, force: true });
  await rm(path, { force: true });
}
