import type { ConnectionSettings } from '../../connection/settings.ts';
import { shellWord } from '../../shell-word.ts';
import { stateOfCutOver } from './cut-over.ts';
import type { RestoreFacts } from './find-restores.ts';
import type { SwapWork } from './swap-work.ts';

/**
 * What a person can do when the way back has failed, as commands to copy: with tend, and by hand for the case that
 * tend cannot be run.
 */
export async function describeWayOut(
  work: Pick<SwapWork, 'journal' | 'maintenance' | 'connection'>,
): Promise<string> {
  const { facts } = work.journal.record;
  const { database: name, keptAs, undoneAs } = facts;
  const undo = `tend restore --undo --confirm ${shellWord(name)}`;
  if (keptAs === null) return `See to the application, then: tend app check`;
  const state = await stateOfCutOver(work.maintenance, { name, keepAs: keptAs }).catch(() => undefined);
  if (state === 'before') {
    return `Database "${name}" is the one from before again, the restored one is "${undoneAs}". See to the application, then: ${undo} (with --no-restart to leave the application alone)`;
  }
  const known =
    state === undefined
      ? 'Which database is live cannot be seen (psql -l). '
      : `Both databases are there: "${name}" ${state === 'after' ? 'is the restored one, ' : 'is missing, '}"${keptAs}" the one from before. `;
  return `${known}Try again: ${undo}. Without tend, the application being stopped: ${byHand(facts, keptAs, work.connection)}`;
}

/** Both names in one transaction, then the files. */
function byHand(
  { database, undoneAs, files }: RestoreFacts,
  keptAs: string,
  { servers: [{ host, port }], user }: ConnectionSettings,
): string {
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  const script = `begin; alter database ${quoted(database)} rename to ${quoted(undoneAs)}; alter database ${quoted(keptAs)} rename to ${quoted(database)}; commit`;
  const moves = files.map(
    ({ live, fresh, keptAs: old }) =>
      `mv ${shellWord(live)} ${shellWord(fresh)} && mv ${shellWord(old)} ${shellWord(live)}`,
  );
  const where = `-h ${shellWord(host)} -p ${port} -U ${shellWord(user)}`;
  return [`psql ${where} -d postgres -v ON_ERROR_STOP=1 -c ${shellWord(script)}`, ...moves].join(' && ');
}
