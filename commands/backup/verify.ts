import { string as stringArgument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { parse } from 'valibot';
import { verifyReportSchema } from '../../src/backups/sets/backup-report.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import type { CommandBody } from '../../src/cli/command-context.ts';
import { identityFlag, identityOverrides } from '../../src/cli/identity-flag.ts';
import { refuseUnknownSet } from '../../src/cli/refuse-unknown-set.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';
import { formatDuration } from '../../src/duration.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class BackupVerify extends TendCommand {
  static override summary = 'Read a backup set from beginning to end, and compare it with its manifest.';
  static override description =
    'Checks the SHA-256 and the checksums of the compression of every part, every block of the database archive, and that tar can list the files. Where the key of an encrypted set is not at hand, what is stored is compared with the manifest alone, and said so. With --restore the set is restored, too: into a database of its own, with the steps of a restore, compared with what the manifest counted, and dropped; the live database is not touched. What is found is on record: a set that is not good does not count as a backup. Exit code 65: the set is not good. 69: the connection was lost in the middle, and nothing is known against the set. 75: another test restore is at work. 78: the key is that of somebody else, or is needed and not there.';
  static override examples = [
    '<%= config.bin %> backup verify',
    '<%= config.bin %> backup verify 20261122T023000Z-7f3a --restore',
    '<%= config.bin %> backup verify --identity key.txt',
    '<%= config.bin %> backup verify --remote offsite',
  ];
  static override args = {
    id: stringArgument({ description: 'Id of the set; the newest unless given.' }),
  };
  static override flags = {
    restore: boolean({
      summary: 'Restore it as a test, beside the live database, and say how long that takes.',
    }),
    identity: identityFlag,
    remote: string({ summary: 'Read the copy in this remote, not the set here.', helpValue: 'NAME' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackupVerify);
    const overrides = identityOverrides(flags.identity, this.host.cwd);
    const body: CommandBody = async (context) => {
      if (flags.remote === undefined) await refuseUnknownSet(context, args.id);
      const payload = {
        ...(args.id !== undefined && { id: args.id }),
        ...(flags.remote !== undefined && { remote: flags.remote }),
        ...(flags.restore && { restore: true }),
      };
      const { taskId, evidence } = await runKindNow(context, { kind: 'verify-backup', payload });
      const report = parse(verifyReportSchema, evidence);
      return {
        result: { ...report, taskId },
        render(output) {
          const { id, bytes, sha256, level, restoreMs } = report;
          const what = `${formatBytes(bytes)}, SHA-256 ${sha256}`;
          const restored = restoreMs === null ? '' : `, restored in ${formatDuration(restoreMs)}`;
          if (level === 'content') output.summary(`Backup ${id} is good: ${what}${restored}.`);
          else
            output.summary(
              `Backup ${id} lies there as it was written: ${what}. It is encrypted, and was not read: see --identity.`,
            );
        },
      };
    };
    await this.execute(flags, body, { overrides });
  }
}
