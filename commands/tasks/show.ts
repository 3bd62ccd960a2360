import { TendCommand } from '../../src/cli/base-command.ts';
import { printTask } from '../../src/cli/task-details.ts';
import { taskId } from '../../src/cli/task-id.ts';
import { showTask } from '../../src/tasks/show-task.ts';

export default class TasksShow extends TendCommand {
  static override summary = 'Show one task with the history of its attempts.';
  static override examples = ['<%= config.bin %> tasks show 42', '<%= config.bin %> tasks show 42 --json'];
  static override args = { id: taskId({ description: 'Id of the task.', required: true }) };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TasksShow);
    await this.execute(flags, async (context) => {
      const task = await showTask({ db: await context.openDatabase(), id: args.id });
      return { result: { task }, render: (output) => printTask(task, output) };
    });
  }
}
