import { boolean, string } from '@oclif/core/flags';
import { parse } from 'valibot';
import { pruneReportSchema } from '../../src/backups/sets/backup-report.ts';
import { TendCommand } from '../../src/cli/base-command.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { previewPrune } from '../../src/cli/preview-prune.ts';
import { printPrunePlan } from '../../src/cli/print-prune-plan.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';
import { countOf } from '../../src/count-of.ts';
import { formatBytes } from '../../src/format-bytes.ts';

export default class BackupPrune extends TendCommand {
  static override summary = 'Remove the backup sets that [backup] keep does not keep.';
  static override description =
    'A backup does the same when it is made, here and in each remote that has got it. Only good sets of this database count and go; the newest one, the newest verified one and those that a task needs stay in any case. What is damaged, did not verify, belongs to another database or is no set is left alone and named. Days, weeks and months are those of UTC. Databases that restores have kept for longer than [backup] keep_replaced are dropped, unless a restore that has not ended needs them. With --remote, no database is, and [backup.remotes.NAME] keep decides where it is set. Exit code 3: a set could not be removed. 77: the remote lets nobody remove sets from here. 78: nothing says what may go.';
  static override examples = [
    '<%= config.bin %> backup prune --dry-run',
    '<%= config.bin %> backup prune --older-than 30d',
    '<%= config.bin %> backup prune --remote offsite --dry-run',
  ];
  static override flags = {
    'older-than': duration({
      summary:
        'Keep what is younger too, counted from the newest set; without [backup] keep this alone decides.',
    }),
    remote: string({ summary: 'The sets in this remote, not those here.', helpValue: 'NAME' }),
    'dry-run': boolean({ summary: 'Say of each set whether it stays, and why.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(BackupPrune);
    await this.execute(flags, async (context) => {
      const { remote, 'older-than': olderThanMs } = flags;
      if (flags['dry-run']) {
        const plan = await previewPrune(context, { olderThanMs, remote });
        return { result: plan, render: (output) => printPrunePlan(plan, output) };
      }
      const payload = {
        ...(olderThanMs !== undefined && { olderThan: `${olderThanMs}ms` }),
        ...(remote !== undefined && { remote }),
      };
      const { taskId, evidence } = await runKindNow(context, { kind: 'prune', payload });
      const report = parse(pruneReportSchema, evidence);
      return {
        result: { ...report, taskId },
        render(output) {
          const { removed, kept, freedBytes, left, droppedDatabases } = report;
          output.summary(
            `${countOf(removed.length, 'backup set')} removed (${formatBytes(freedBytes)}), ${kept} kept, ${left.length} left alone.`,
          );
          if (droppedDatabases.length > 0)
            output.summary(`Databases that restores had kept, dropped: ${droppedDatabases.join(', ')}.`);
        },
      };
    });
  }
}
