import { boolean, integer, option, string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { printTasks } from '../../src/cli/task-table.ts';
import { listTasks } from '../../src/tasks/list-tasks.ts';
import { taskStates } from '../../src/tasks/states.ts';

export default class Tasks extends TendCommand {
  static override summary = 'List tasks, newest first.';
  static override description =
    'Without filters, what is not over yet (waiting, running, held) and what failed. Piped, the table is tab-separated.';
  static override examples = [
    '<%= config.bin %> tasks --state failed --since 1d',
    '<%= config.bin %> tasks --kind send-mail --all --json',
  ];
  static override flags = {
    state: option({
      summary: 'Only tasks in this state.',
      ...{ options: taskStates, multiple: true, multipleNonGreedy: true },
    })(),
    kind: string({
      summary: 'Only tasks of this kind.',
      ...{ multiple: true, multipleNonGreedy: true, helpValue: 'KIND' },
    }),
    since: duration({ summary: 'Only tasks created, started or finished within this time.' }),
    all: boolean({ summary: 'In every state.', exclusive: ['state'] }),
    limit: integer({ summary: 'At most this many.', min: 1, max: 100_000, default: 50, helpValue: 'N' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Tasks);
    await this.execute(flags, async (context) => {
      const unfinished = ['waiting', 'running', 'held', 'failed'] as const;
      const { tasks, isCut } = await listTasks({
        db: await context.openDatabase(),
        states: flags.all ? [] : (flags.state ?? unfinished),
        kinds: flags.kind ?? [],
        since: flags.since === undefined ? undefined : new Date(context.clock.now().getTime() - flags.since),
        limit: flags.limit,
      });
      return {
        result: { tasks, isCut },
        render(output) {
          if (tasks.length > 0) printTasks(tasks, output);
          else
            output.summary(
              flags.all ? 'There are no tasks.' : 'Nothing is waiting, running, held or failed.',
            );
          if (isCut) output.warn(`only the newest ${flags.limit} are shown (--limit)`);
        },
      };
    });
  }
}
