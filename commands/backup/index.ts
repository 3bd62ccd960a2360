import { boolean, integer, string } from '@oclif/core/flags';
import { parse } from 'valibot';
import { backupExitCode, backupReportSchema } from '../../src/backups/sets/backup-report.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { printCopies } from '../../src/cli/print-copies.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';
import { countOf } from '../../src/count-of.ts';
import { formatDuration } from '../../src/duration.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class Backup extends TendCommand {
  static override summary = 'Take a backup set of the database and its files.';
  static override description =
    'The set is a directory below [backup] directory. It gets its name only when it is complete and on disk: the dump, and a manifest with its SHA-256 and the rows of every table, counted in the very snapshot that was dumped. Then [backup] files, as they are. Then it is copied to every remote of the configuration, and where [backup] keep is set, the sets that it does not keep are removed. Exit code 3: the set is made, but files that could not be read are not in it, a remote has not got it (a task of kind push-backup goes on with that), or an old set could not be removed. 75: another backup or restore is at work. 73: no space, or no right to write.';
  static override examples = [
    '<%= config.bin %> backup',
    '<%= config.bin %> backup --label "before the upgrade" --json',
    '<%= config.bin %> backup --remote offsite',
  ];
  static override flags = {
    label: string({ summary: 'A note for people, kept in the manifest.', helpValue: 'TEXT' }),
    jobs: integer({ summary: 'Compress with this many threads.', min: 1, max: 64, helpValue: 'N' }),
    'no-files': boolean({ summary: 'Only the database, not [backup] files.' }),
    remote: string({
      summary: 'Copy it to this remote only; may be given several times.',
      helpValue: 'NAME',
      multiple: true,
    }),
    'no-remote': boolean({ summary: 'Copy it to no remote.', exclusive: ['remote'] }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Backup);
    await this.execute(flags, async (context) => {
      const payload = {
        ...(flags.label !== undefined && { label: flags.label }),
        ...(flags.jobs !== undefined && { jobs: flags.jobs }),
        ...(flags['no-files'] && { files: false }),
        ...(flags.remote !== undefined && { remotes: flags.remote }),
        ...(flags['no-remote'] && { remotes: [] }),
      };
      const { taskId, evidence } = await runKindNow(context, { kind: 'backup', payload });
      const report = parse(backupReportSchema, evidence);
      return {
        result: { ...report, taskId },
        exitCode: backupExitCode(report),
        render(output) {
          const { id, bytes, rows, files, durationMs } = report;
          const packed =
            files === null ? '' : `, ${countOf(files.entries, 'file')} in ${formatBytes(files.bytes)}`;
          const took = formatDuration(durationMs);
          output.summary(
            `Backup ${id} made: ${formatBytes(bytes)}, ${countOf(rows, 'row')}${packed}, ${took}.`,
          );
          printCopies(report, output);
        },
      };
    });
  }
}
