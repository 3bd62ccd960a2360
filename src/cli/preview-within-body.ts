import { readyArchive } from '../backups/archive/ready-archive.ts';
import { findUnfinishedRestores } from '../backups/cut-over/find-unfinished-restores.ts';
import { findIdentity } from '../backups/parts/find-identity.ts';
import { requireIdentity } from '../backups/parts/require-identity.ts';
import { findRestoreDirectory } from '../backups/restore/find-restore-directory.ts';
import { refusePooler } from '../backups/restore/refuse-pooler.ts';
import { refuseUnfinished } from '../backups/restore/refuse-unfinished.ts';
import { workDirectory } from '../backups/restore/restore-resources.ts';
import { findRestoreSource } from '../backups/restore/restore-source.ts';
import { backupDirectory } from '../backups/sets/backup-directory.ts';
import { serverVersion } from '../backups/sets/database-facts.ts';
import { describeBackup } from '../backups/sets/describe-backup.ts';
import { planWithin, refuseUnfit } from '../backups/within/plan-within.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import type { RestoreFlags } from './restore-body.ts';

/**
 * `tend restore --in-place --dry-run`: what would happen. The dump is verified for it, since only its table of contents
 * tells what is newer; what is in the way is an error, as it is without `--dry-run`.
 */
export async function previewWithinBody(
  context: CommandContext,
  flags: RestoreFlags,
): Promise<CommandOutcome> {
  const { config, baseDirectory, clock, env, log, secrets, signal } = context;
  const connection = await context.connection();
  const { directory: configured } = config.backup;
  const directory = configured === undefined ? undefined : backupDirectory(config, baseDirectory);
  const { source } = flags;
  const { database } = connection;
  const uid = process.getuid?.();
  const set = await findRestoreSource({ ...context, source, directory, database, uid });
  const { manifest } = set;
  const identity = await findIdentity({ manifest, config, baseDirectory, log, secrets });
  requireIdentity(manifest, identity);
  refuseUnfit({ set, includeFiles: flags['no-files'] ? 'no' : 'yes' });
  await refusePooler({ connection, applicationName: 'tend restore --dry-run', clock });
  const db = await context.openDatabase();
  const journals = findRestoreDirectory({ config, baseDirectory, env });
  const place = { db, live: db, database, directory: journals };
  refuseUnfinished(await findUnfinishedRestores(place));
  const { major: serverMajor } = await serverVersion(db);
  await using archive = await readyArchive({
    ...{ set, identity, env, log, signal, jobs: 2, serverMajor, space: undefined },
    ...{ toolsDirectory: config.backup.tools_directory },
    workDirectory: workDirectory({ config, baseDirectory, env }),
  });
  const { entries } = await planWithin(db, set, archive.path);
  const isSaved = directory !== undefined;
  return {
    result: { backup: describeBackup(set), database, entries: entries.length, isSaved },
    render(output) {
      output.print(
        `Backup set ${set.id} is good. ${entries.length} entries of its dump would be loaded over database "${database}" in one transaction; its tables are locked meanwhile.`,
      );
      if (isSaved) output.print('A backup would be taken before: it is the only way back.');
      else output.warn('No [backup] directory is configured: there would be no way back.');
    },
  };
}
