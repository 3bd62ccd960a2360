import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { countOf } from '../../src/count-of.ts';
import { countPrunable, pruneTasks } from '../../src/tasks/prune-tasks.ts';

export default class TasksPrune extends TendCommand {
  static override summary = 'Delete old finished tasks now; every tick does it anyway.';
  static override description =
    'Succeeded tasks go after tasks.keep_succeeded, failed, cancelled and missed ones after tasks.keep_failed. Waiting, running and held tasks are never deleted.';
  static override examples = [
    '<%= config.bin %> tasks prune --dry-run',
    '<%= config.bin %> tasks prune --older-than 30d',
  ];
  static override flags = {
    'older-than': duration({ summary: 'Delete everything finished longer ago than this.' }),
    'dry-run': boolean({ summary: 'Only count.', default: false }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TasksPrune);
    await this.execute(flags, async (context) => {
      const { keep_succeeded, keep_failed } = context.config.tasks;
      const retention = {
        db: await context.openDatabase(),
        keepSucceededMs: flags['older-than'] ?? keep_succeeded,
        keepEndedMs: flags['older-than'] ?? keep_failed,
      };
      const isDryRun = flags['dry-run'];
      const count = isDryRun
        ? await countPrunable(retention)
        : await pruneTasks({ ...retention, mayContinue: () => !context.signal.aborted });
      return {
        result: { dryRun: isDryRun, tasks: count },
        render: (output) =>
          output.summary(`${countOf(count, 'task')} ${isDryRun ? 'would be ' : ''}deleted.`),
      };
    });
  }
}
