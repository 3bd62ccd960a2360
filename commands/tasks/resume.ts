import { TendCommand } from '../../src/cli/base-command.ts';
import { pausedFlags, readPaused } from '../../src/cli/paused-flags.ts';
import { TendError } from '../../src/errors.ts';
import { resumeTasks } from '../../src/tasks/pause-tasks.ts';

export default class TasksResume extends TendCommand {
  static override summary = 'Let tasks of a paused kind or queue run again.';
  static override examples = [
    '<%= config.bin %> tasks resume --kind send-mail',
    '<%= config.bin %> tasks resume --queue imports',
  ];
  static override flags = pausedFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(TasksResume);
    await this.execute(flags, async (context) => {
      const paused = readPaused(flags);
      if (paused.length === 0)
        throw new TendError('USAGE', 'Say what to resume: --kind KIND or --queue NAME.');
      const resumed = await resumeTasks({ db: await context.openDatabase(), paused });
      return {
        result: { resumed },
        render(output) {
          for (const { scope, name } of resumed) output.summary(`The ${scope} "${name}" goes on.`);
          if (resumed.length === 0) output.summary('None of these was paused.');
        },
      };
    });
  }
}
