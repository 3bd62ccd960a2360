import { TendCommand } from '../../src/cli/base-command.ts';
import { hostName } from '../../src/cli/handler-context.ts';
import { taskId } from '../../src/cli/task-id.ts';
import { explainTask } from '../../src/tasks/explain-task.ts';
import { knownKinds } from '../../src/tasks/handlers/registry.ts';

export default class TasksExplain extends TendCommand {
  static override summary = 'Say why a task runs or does not.';
  static override description =
    'Walks through everything that decides: due, kind, pauses, host, mutex and who holds it, limits, attempts, lease, other tasks, ticks. A mark "x" keeps the task from running.';
  static override examples = [
    '<%= config.bin %> tasks explain 42',
    '<%= config.bin %> tasks explain 42 --json',
  ];
  static override args = { id: taskId({ description: 'Id of the task.', required: true }) };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TasksExplain);
    await this.execute(flags, async (context) => {
      const explanation = await explainTask({
        db: await context.openDatabase(),
        id: args.id,
        knownKinds: [...knownKinds(context.config).keys()],
        host: hostName(context),
        hostLimit: context.config.tasks.max_running,
      });
      return {
        result: explanation,
        render(output) {
          const { id, kind, state, willRun, reasons } = explanation;
          const verdict = willRun ? ': the next tick here runs it' : '';
          output.print(`Task ${id} (${kind}) is ${state}${verdict}.`);
          for (const { blocks, text } of reasons) output.print(`  ${blocks ? 'x' : '-'} ${text}`);
        },
      };
    });
  }
}
