import { TendCommand } from '../../src/cli/base-command.ts';
import { openSchedule } from '../../src/cli/open-schedule.ts';
import { scheduleName } from '../../src/cli/schedule-name.ts';
import { triggerSchedule } from '../../src/schedules/trigger-schedule.ts';

export default class SchedulesTrigger extends TendCommand {
  static override summary = 'Enqueue what a schedule enqueues, now.';
  static override description =
    'Besides its occurrences, which go on as planned; also while it is disabled. The next tick runs it. Prints the id of the task.';
  static override examples = [
    '<%= config.bin %> schedules trigger nightly-backup',
    '<%= config.bin %> schedules trigger nightly-backup --json',
  ];
  static override args = { name: scheduleName() };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(SchedulesTrigger);
    await this.execute(flags, async (context) => {
      const taskIds = await triggerSchedule({ db: await openSchedule(context, args.name), name: args.name });
      return {
        result: { name: args.name, taskIds },
        render(output) {
          for (const id of taskIds) output.print(String(id));
        },
      };
    });
  }
}
