import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { confirmFlag } from '../../src/cli/confirm-flag.ts';
import { confirmReplacingTasks } from '../../src/cli/confirm-replacing-tasks.ts';
import { taskId } from '../../src/cli/task-id.ts';
import { whoDecides } from '../../src/cli/who-decides.ts';
import { onlyDecision, resolveTask } from '../../src/tasks/resolve-task.ts';

export default class TasksResolve extends TendCommand {
  static override summary = 'Decide about a held task.';
  static override description =
    'A task is held when only a person can know: a mail whose reply never came, a restore whose worker died. Say what happened, or what shall happen. With --retry, a restore in place of the live database would replace it again: --confirm must give its name, as for "restore" itself.';
  static override examples = [
    '<%= config.bin %> tasks resolve 42 --sent',
    '<%= config.bin %> tasks resolve 42 --resend',
    '<%= config.bin %> tasks resolve 42 --drop',
  ];
  static override args = { id: taskId({ description: 'Id of the held task.', required: true }) };
  static override flags = {
    done: boolean({ summary: 'It was done: the task succeeded.', aliases: ['sent'] }),
    retry: boolean({ summary: 'Do it again: the task waits and is due.', aliases: ['resend'] }),
    drop: boolean({ summary: 'Let it be: the task is cancelled.' }),
    confirm: confirmFlag,
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TasksResolve);
    await this.execute(flags, async (context) => {
      const decision = onlyDecision(flags);
      if (decision === 'retry') {
        const command = `tend tasks resolve ${args.id} --retry`;
        await confirmReplacingTasks(context, {
          ids: [args.id],
          way: 'resolve',
          given: flags.confirm,
          command,
        });
      }
      const state = await resolveTask({
        db: await context.openDatabase(),
        id: args.id,
        decision,
        decidedBy: whoDecides(context),
      });
      return {
        result: { id: args.id, decision, state },
        render: (output) => output.summary(`Task ${args.id}: ${state}`),
      };
    });
  }
}
