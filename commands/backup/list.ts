import { string } from '@oclif/core/flags';
import { describeBackup } from '../../src/backups/sets/describe-backup.ts';
import { listSets } from '../../src/backups/sets/find-backup-set.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { describeVerification } from '../../src/cli/describe-verification.ts';
import { findRecordsIfKnown } from '../../src/cli/find-records-if-known.ts';
import { formatDuration } from '../../src/duration.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class BackupList extends TendCommand {
  static override summary = 'List the backup sets, newest first.';
  static override description =
    'Reads the backup directory, so it works without a database; when each was verified and restored as a test is known where the queue can be asked. With --remote, reads what is in that remote, which takes no backup directory either. Only complete sets are listed; a directory that is named like a set and cannot be read is a warning, and exit code 65.';
  static override examples = [
    '<%= config.bin %> backup list',
    '<%= config.bin %> backup list --remote offsite --json',
  ];
  static override flags = {
    remote: string({ summary: 'The sets in this remote, not those here.', helpValue: 'NAME' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(BackupList);
    await this.execute(flags, async (context) => {
      const { remote } = flags;
      const { directory, sets, damaged, unfinished } = await listSets({ ...context, remote });
      const records = await findRecordsIfKnown(context);
      const backups = sets.map((set) => ({
        ...describeBackup(set),
        verification: records?.get(set.id) ?? null,
      }));
      const isVerificationKnown = records !== undefined;
      return {
        result: { directory, remote: remote ?? null, isVerificationKnown, backups, damaged, unfinished },
        exitCode: damaged.length > 0 ? 65 : 0,
        render(output) {
          const rows = backups.map((backup) => [
            ...[backup.id, backup.database, formatBytes(backup.bytes), String(backup.rows)],
            ...[formatDuration(backup.durationMs), backup.isEncrypted ? 'yes' : 'no'],
            ...(records === undefined
              ? ['?', '?']
              : describeVerification(backup.verification, context.clock)),
            backup.label ?? '',
          ]);
          const head = [
            'ID',
            'DATABASE',
            'SIZE',
            'ROWS',
            'TOOK',
            'ENCRYPTED',
            'VERIFIED',
            'RESTORED',
            'LABEL',
          ];
          if (rows.length > 0) output.table(head, rows);
          else output.summary(`There is no backup set in ${directory}.`);
          for (const { id } of unfinished) output.warn(`${id}: its upload is not finished, so it is no set`);
          for (const { id, problem } of damaged) output.warn(`${id}: ${problem}`);
        },
      };
    });
  }
}
