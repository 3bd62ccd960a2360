import { integer } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { hostName } from '../../src/cli/handler-context.ts';
import { scheduleName } from '../../src/cli/schedule-name.ts';
import { printSchedule } from '../../src/cli/schedule-table.ts';
import { showSchedule } from '../../src/schedules/show-schedule.ts';

export default class SchedulesShow extends TendCommand {
  static override summary = 'Show one schedule with its next and newest occurrences.';
  static override description =
    'Coming occurrences are shown by the clock of the schedule, with a mark where a change of the clocks moves, drops or repeats one; of the newest, those that were skipped or missed with the reason.';
  static override examples = [
    '<%= config.bin %> schedules show nightly-backup',
    '<%= config.bin %> schedules show nightly-backup --next 20',
  ];
  static override args = { name: scheduleName() };
  static override flags = {
    next: integer({
      summary: 'How many coming occurrences.',
      ...{ default: 5, min: 0, max: 1000, helpValue: 'N' },
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(SchedulesShow);
    await this.execute(flags, async (context) => {
      const schedule = await showSchedule({
        db: await context.openDatabase(),
        configured: context.config.schedules,
        host: hostName(context),
        name: args.name,
        count: flags.next,
      });
      return { result: { schedule }, render: (output) => printSchedule(schedule, output) };
    });
  }
}
