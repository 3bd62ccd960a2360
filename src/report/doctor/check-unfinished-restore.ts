import { findAbandonedDumps } from '../../backups/archive/find-abandoned-work-areas.ts';
import { findRestores } from '../../backups/cut-over/find-restores.ts';
import {
  findUnfinishedRestores,
  type UnfinishedRestore,
} from '../../backups/cut-over/find-unfinished-restores.ts';
import { findRestoreDirectory } from '../../backups/restore/find-restore-directory.ts';
import { TendError } from '../../errors.ts';
import { isProcessAlive } from '../../processes/process-identity.ts';
import { shellWord } from '../../shell-word.ts';
import { findHeldUndo } from '../../tasks/find-held-undo.ts';
import type { DoctorCheck, DoctorFacts, Finding } from './doctor-check.ts';

/** No restore was killed before its end. Looked at in the journals, also where the database cannot be reached. */
export const checkUnfinishedRestore: DoctorCheck = {
  name: 'unfinished-restore',
  needs: 'configuration',
  async run(facts) {
    const { loadedConfig, env } = facts;
    const { database } = await facts.connection();
    const directory = findRestoreDirectory({ ...loadedConfig, env });
    const [first] = await findUnfinished(facts, { database, directory });
    if (first === undefined)
      return (await lookForFailedUndo(facts, database)) ?? (await lookForUnpacked(facts));
    const { record } = first;
    if (record !== undefined && isProcessAlive(record.process))
      return {
        status: 'ok',
        text: `restore ${record.facts.id} is at work (${who(record)}: ${record.phase})`,
      };
    return describe(first);
  },
};

/**
 * An undo that the application was not well with, and that could not be taken back in good health either: the journal says
 * that the restore has ended, and its task is held.
 */
async function lookForFailedUndo(
  { openDatabase }: DoctorFacts,
  database: string,
): Promise<Finding | undefined> {
  // Without a queue, or a server, the journals are all that tells.
  const held = await openDatabase()
    .then(findHeldUndo)
    .catch(() => undefined);
  if (held === undefined) return undefined;
  const which = held.restoreId === null ? '' : ` ${shellWord(held.restoreId)}`;
  return {
    status: 'fail',
    text: `an undo of a restore failed, and so did the way back from it: task ${held.id} is held`,
    fix: `tend restore${which} --undo --confirm ${shellWord(database)}, once the application is well (or with --no-restart); why it failed: tend tasks show ${held.id}; to leave it so: tend tasks resolve ${held.id} --drop`,
  };
}

/** A restore beside the live database has no journal; what it was unpacking when it was killed is there all the same. */
async function lookForUnpacked({ loadedConfig, env }: DoctorFacts): Promise<Finding> {
  const abandoned = await findAbandonedDumps({ ...loadedConfig, env });
  if (abandoned.length === 0) return { status: 'ok', text: 'every restore has come to its end' };
  return {
    status: 'warn',
    text: `a restore that was killed has left a dump in clear: ${abandoned.join(', ')}`,
    fix: `rm -r ${abandoned.map(shellWord).join(' ')}, or the next restore removes it`,
  };
}

/** Where the server does not answer, what the journals say alone: then the live name may be anybody's. */
async function findUnfinished(
  { openDatabase }: DoctorFacts,
  place: { database: string; directory: string },
): Promise<UnfinishedRestore[]> {
  try {
    const db = await openDatabase();
    return await findUnfinishedRestores({ ...place, db, live: db });
  } catch (error) {
    const records = await findRestores(place);
    const unfinished = records.filter(({ phase }) => phase !== 'finished' && phase !== 'undone');
    if (unfinished.length === 0 && !(error instanceof TendError)) return [];
    return unfinished.map((record) => ({
      ...{ record, facts: record.facts },
      hasCutOver: record.phase !== 'begun',
      isGoingBack: record.phase === 'putting-back' || record.phase === 'put-back',
    }));
  }
}

function describe({ facts, record, hasCutOver, isGoingBack }: UnfinishedRestore): Finding {
  const { id, keptAs, within } = facts;
  const confirm = `--confirm ${shellWord(facts.database)}`;
  const resume = `tend restore --resume ${confirm}`;
  const undo = `tend restore --undo ${confirm}`;
  const restore = record === undefined ? `restore ${id}` : `restore ${id} (${who(record)})`;
  if (!hasCutOver) {
    const what =
      facts.into === undefined ? 'before it had replaced anything' : `while it restored into "${facts.into}"`;
    const text = `${restore} was killed ${what}`;
    return { status: 'warn', text, fix: `${undo} removes what it left; ${resume} begins it anew` };
  }
  if (isGoingBack) {
    const text = `${restore} did not come to its end: it was on its way back to the database from before`;
    return { status: 'fail', text, fix: undo };
  }
  if (within !== undefined) {
    const text = `${restore} did not come to its end: it has restored in place, and the application was not looked at`;
    const saved =
      within.savedAs === null
        ? 'and no set of before'
        : `but set ${within.savedAs} of the database from before`;
    const fix = `${resume} restarts and checks the application; there is no undo, ${saved}`;

    return { status: 'fail', text, fix };
  }
  if (keptAs === null) {
    const text = `${restore} did not come to its end: it had brought the lost database back`;
    return { status: 'fail', text, fix: resume };
  }
  const text = `${restore} did not come to its end: it has replaced the database, which is kept as "${keptAs}"`;
  return { status: 'fail', text, fix: `${resume}, or to go back: ${undo}` };
}

function who({ host, process }: NonNullable<UnfinishedRestore['record']>): string {
  return `${host}:${process.pid}`;
}
