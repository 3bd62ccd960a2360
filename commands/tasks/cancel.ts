import { TendCommand } from '../../src/cli/base-command.ts';
import { changeTasks } from '../../src/cli/change-tasks.ts';
import { taskId } from '../../src/cli/task-id.ts';
import { cancelTask } from '../../src/tasks/change-task.ts';

export default class TasksCancel extends TendCommand {
  static override summary = 'Cancel tasks; a running one is stopped by its worker.';
  static override description =
    'A waiting or held task is cancelled at once. A running one gets a request that its worker sees at the next heartbeat, within a third of the lease. A task that has ended stays as it is.';
  static override examples = ['<%= config.bin %> tasks cancel 42', '<%= config.bin %> tasks cancel 42 43 44'];
  static override args = {
    id: taskId({ description: 'Ids of the tasks.', required: true, multiple: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TasksCancel);
    await this.execute(flags, async (context) => {
      const db = await context.openDatabase();
      return await changeTasks(args.id, (id) => cancelTask({ db, id }));
    });
  }
}
