import { boolean, string } from '@oclif/core/flags';
import { parse } from 'valibot';
import { backupReportSchema } from '../../src/backups/backup-report.ts';
import { isRetentionDone } from '../../src/backups/retain-after-backup.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';
import { formatDuration } from '../../src/duration.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class Backup extends TendCommand {
  static override summary = 'Take a backup set of the database.';
  static override description =
    'The set is a directory below [backup] directory. It gets its name only when it is complete and on disk: the dump, and a manifest with its SHA-256 and the rows of every table, counted in the very snapshot that was dumped. Where [backup] keep is set, the sets that it does not keep are then removed. Exit code 3: the set is made, but an old one could not be removed. 75: another backup or restore is at work. 73: no space, or no right to write.';
  static override examples = [
    '<%= config.bin %> backup',
    '<%= config.bin %> backup --label "before the upgrade" --json',
  ];
  static override flags = {
    label: string({ summary: 'A note for people, kept in the manifest.', helpValue: 'TEXT' }),
    'no-files': boolean({ summary: 'Only the database, not [backup] files.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Backup);
    await this.execute(flags, async (context) => {
      const payload = {
        ...(flags.label !== undefined && { label: flags.label }),
        ...(flags['no-files'] && { files: false }),
      };
      const { taskId, evidence } = await runKindNow(context, { kind: 'backup', payload });
      const report = parse(backupReportSchema, evidence);
      return {
        result: { ...report, taskId },
        exitCode: isRetentionDone(report.retention) ? 0 : 3,
        render(output) {
          const took = formatDuration(report.durationMs);
          output.summary(
            `Backup ${report.id} made: ${formatBytes(report.bytes)}, ${report.rows} rows, ${took}.`,
          );
        },
      };
    });
  }
}
