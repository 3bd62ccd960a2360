import { string } from '@oclif/core/args';
import { boolean } from '@oclif/core/flags';
import { parse } from 'valibot';
import { verifyReportSchema } from '../../src/backups/backup-report.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';
import { formatDuration } from '../../src/duration.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class BackupVerify extends TendCommand {
  static override summary = 'Read a backup set from beginning to end, and compare it with its manifest.';
  static override description =
    'Checks the SHA-256, the checksums of the compression, and every block of the archive. With --restore the set is restored, too: into a database of its own, with the steps of a restore, compared with what the manifest counted, and dropped. The live database is not touched. What is found is on record: a set that is not good does not count as a backup. Exit code 65: the set is not good. 75: another test restore is at work.';
  static override examples = [
    '<%= config.bin %> backup verify',
    '<%= config.bin %> backup verify 20261122T023000Z-7f3a --restore',
  ];
  static override args = {
    id: string({ description: 'Id of the set; the newest unless given.' }),
  };
  static override flags = {
    restore: boolean({
      summary: 'Restore it as a test, beside the live database, and say how long that takes.',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackupVerify);
    await this.execute(flags, async (context) => {
      const payload = {
        ...(args.id !== undefined && { id: args.id }),
        ...(flags.restore && { restore: true }),
      };
      const { taskId, evidence } = await runKindNow(context, { kind: 'verify-backup', payload });
      const report = parse(verifyReportSchema, evidence);
      return {
        result: { ...report, taskId },
        render(output) {
          const { id, bytes, sha256, restoreMs } = report;
          const restored = restoreMs === null ? '' : `, restored in ${formatDuration(restoreMs)}`;
          output.summary(`Backup ${id} is good: ${formatBytes(bytes)}, SHA-256 ${sha256}${restored}.`);
        },
      };
    });
  }
}
