import { string } from '@oclif/core/args';
import { parse } from 'valibot';
import { verifyReportSchema } from '../../src/backups/backup-report.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import type { CommandBody } from '../../src/cli/command-context.ts';
import { identityFlag, identityOverrides } from '../../src/cli/identity-flag.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class BackupVerify extends TendCommand {
  static override summary = 'Read a backup set from beginning to end, and compare it with its manifest.';
  static override description =
    'Checks the SHA-256, the checksums of the compression, and every block of the archive. Where the key of an encrypted set is not at hand, what is stored is compared with the manifest alone, and said so. Exit code 65: the set is damaged. 78: the key is that of somebody else.';
  static override examples = [
    '<%= config.bin %> backup verify',
    '<%= config.bin %> backup verify 20261122T023000Z-7f3a',
    '<%= config.bin %> backup verify --identity key.txt',
  ];
  static override args = {
    id: string({ description: 'Id of the set; the newest unless given.' }),
  };
  static override flags = { identity: identityFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackupVerify);
    const overrides = identityOverrides(flags.identity, this.host.cwd);
    const body: CommandBody = async (context) => {
      const payload = args.id === undefined ? {} : { id: args.id };
      const { taskId, evidence } = await runKindNow(context, { kind: 'verify-backup', payload });
      const report = parse(verifyReportSchema, evidence);
      return {
        result: { ...report, taskId },
        render(output) {
          const what = `${formatBytes(report.bytes)}, SHA-256 ${report.sha256}`;
          if (report.level === 'content') output.summary(`Backup ${report.id} is good: ${what}.`);
          else
            output.summary(
              `Backup ${report.id} lies there as it was written: ${what}. It is encrypted, and was not read: see --identity.`,
            );
        },
      };
    };
    await this.execute(flags, body, { overrides });
  }
}
