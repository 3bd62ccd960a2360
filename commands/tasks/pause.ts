import { string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { pausedFlags, readPaused, requireKnownKinds } from '../../src/cli/paused-flags.ts';
import { formatTime } from '../../src/cli/task-table.ts';
import { whoDecides } from '../../src/cli/who-decides.ts';
import { TendError } from '../../src/errors.ts';
import { findPauses, pauseTasks } from '../../src/tasks/pause-tasks.ts';

export default class TasksPause extends TendCommand {
  static override summary = 'Run no more tasks of a kind or queue until it is resumed.';
  static override description =
    'On every host, from the next claim on; what runs goes on, and what is enqueued waits. Without a kind or queue, lists what is paused. A pause that keeps due tasks back for an hour is a problem in tend.health.';
  static override examples = [
    '<%= config.bin %> tasks pause --kind send-mail --reason "relay is down"',
    '<%= config.bin %> tasks pause --queue imports',
    '<%= config.bin %> tasks pause',
  ];
  static override flags = {
    ...pausedFlags,
    reason: string({ summary: 'Why; shown by tasks explain.', helpValue: 'TEXT' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TasksPause);
    await this.execute(flags, async (context) => {
      const paused = readPaused(flags);
      if (flags.reason !== undefined && paused.length === 0)
        throw new TendError('USAGE', 'Say what to pause: --kind KIND or --queue NAME.');
      await requireKnownKinds(context, paused);
      const db = await context.openDatabase();
      await pauseTasks({ db, paused, reason: flags.reason, by: whoDecides(context) });
      const pauses = await findPauses({ db });
      return {
        result: { pauses },
        render(output) {
          if (pauses.length === 0) return output.summary('Nothing is paused.');
          const rows = pauses.map((pause) => [
            ...[pause.scope, pause.name, formatTime(pause.pausedAt), pause.pausedBy, String(pause.due)],
            pause.reason ?? '',
          ]);
          output.table(['SCOPE', 'NAME', 'PAUSED', 'BY', 'DUE', 'REASON'], rows);
        },
      };
    });
  }
}
