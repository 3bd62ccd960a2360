import { backupDirectory, listBackups } from '../../src/backups/backup-directory.ts';
import { describeBackup } from '../../src/backups/describe-backup.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { formatDuration } from '../../src/duration.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class BackupList extends TendCommand {
  static override summary = 'List the backup sets, newest first.';
  static override description =
    'Reads the backup directory, so it works without a database. Only complete sets are listed; a directory that is named like a set and cannot be read is a warning, and exit code 65.';
  static override examples = ['<%= config.bin %> backup list', '<%= config.bin %> backup list --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(BackupList);
    await this.execute(flags, async (context) => {
      const directory = backupDirectory(context.config, context.baseDirectory);
      const { sets, damaged } = await listBackups(directory);
      const backups = sets.map(describeBackup);
      return {
        result: { directory, backups, damaged },
        exitCode: damaged.length > 0 ? 65 : 0,
        render(output) {
          const rows = backups.map((backup) => [
            ...[backup.id, backup.database, formatBytes(backup.bytes), String(backup.rows)],
            ...[formatDuration(backup.durationMs), backup.isEncrypted ? 'yes' : 'no', backup.label ?? ''],
          ]);
          const head = ['ID', 'DATABASE', 'SIZE', 'ROWS', 'TOOK', 'ENCRYPTED', 'LABEL'];
          if (rows.length > 0) output.table(head, rows);
          else output.summary(`There is no backup set in ${directory}.`);
          for (const { id, problem } of damaged) output.warn(`${id}: ${problem}`);
        },
      };
    });
  }
}
