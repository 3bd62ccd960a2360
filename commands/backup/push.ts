import { string as stringArgument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { parse } from 'valibot';
import { pushReportSchema } from '../../src/backups/sets/backup-report.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { printCopies } from '../../src/cli/print-copies.ts';
import { refuseUnknownSet } from '../../src/cli/refuse-unknown-set.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';

export default class BackupPush extends TendCommand {
  static override summary = 'Copy a backup set to remotes, or go on where that was cut off.';
  static override description =
    'What is in a remote already is not sent again. Everything is read back and compared; the manifest comes last, so a copy that is not complete is no set. Exit code 3: some of several remotes have not got it. 69: the remote cannot be reached. 77: it does not let us in. 78: bucket, directory or host key are not what they should be.';
  static override examples = [
    '<%= config.bin %> backup push',
    '<%= config.bin %> backup push 20261122T023000Z-7f3a --remote offsite',
  ];
  static override args = {
    id: stringArgument({ description: 'Id of the set; the newest unless given.' }),
  };
  static override flags = {
    remote: string({
      summary: 'Only to this remote; may be given several times.',
      helpValue: 'NAME',
      multiple: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackupPush);
    await this.execute(flags, async (context) => {
      await refuseUnknownSet(context, args.id);
      const payload = {
        ...(args.id !== undefined && { id: args.id }),
        ...(flags.remote !== undefined && { remotes: flags.remote }),
      };
      const { taskId, evidence } = await runKindNow(context, { kind: 'push-backup', payload });
      const report = parse(pushReportSchema, evidence);
      return {
        result: { ...report, taskId },
        exitCode: report.remotes.some(({ outcome }) => outcome === 'failed') ? 3 : 0,
        render: (output) => printCopies(report, output),
      };
    });
  }
}
