import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { changeTasks } from '../../src/cli/change-tasks.ts';
import { confirmFlag } from '../../src/cli/confirm-flag.ts';
import { confirmReplacingTasks } from '../../src/cli/confirm-replacing-tasks.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { taskId } from '../../src/cli/task-id.ts';
import { TendError } from '../../src/errors.ts';
import { retryTask } from '../../src/tasks/change-task.ts';
import { findFailedTasks } from '../../src/tasks/find-failed-tasks.ts';

export default class TasksRetry extends TendCommand {
  static override summary = 'Let failed, cancelled or missed tasks run again.';
  static override description =
    'The tasks are due at once, with a fresh set of attempts; their history stays. A held task is not retried but resolved. ' +
    'A restore in place of the live database would replace it again: --all and --failed-since leave restores alone unless --kind restore names them, and --confirm must then give the name of the database, as for "restore" itself.';
  static override examples = [
    '<%= config.bin %> tasks retry 42',
    '<%= config.bin %> tasks retry --failed-since 1d --kind send-mail',
    '<%= config.bin %> tasks retry 43 --confirm cms',
  ];
  static override args = { id: taskId({ description: 'Ids of the tasks.', multiple: true }) };
  static override flags = {
    all: boolean({ summary: 'All failed tasks.', exclusive: ['failed-since'] }),
    'failed-since': duration({ summary: 'All that failed within this time.' }),
    kind: string({ summary: 'With --all or --failed-since: only this kind.', helpValue: 'KIND' }),
    confirm: confirmFlag,
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TasksRetry);
    await this.execute(flags, async (context) => {
      const given = args.id ?? [];
      const isByFilter = flags.all || flags['failed-since'] !== undefined;
      if (isByFilter === given.length > 0) {
        throw new TendError('USAGE', 'Name the tasks by their ids, or with --all or --failed-since.');
      }
      const db = await context.openDatabase();
      const ids = isByFilter
        ? await findFailedTasks({ db, withinMs: flags['failed-since'], kind: flags.kind })
        : given;
      const command = `tend tasks retry ${ids.join(' ')}`;
      await confirmReplacingTasks(context, { ids, way: 'retry', given: flags.confirm, command });
      return await changeTasks(ids, (id) => retryTask({ db, id }));
    });
  }
}
