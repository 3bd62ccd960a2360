import { TendCommand } from '../../src/cli/base-command.ts';
import { openSchedule } from '../../src/cli/open-schedule.ts';
import { scheduleName } from '../../src/cli/schedule-name.ts';
import { enableSchedule } from '../../src/schedules/change-schedule.ts';

export default class SchedulesEnable extends TendCommand {
  static override summary = 'Let a schedule go on, from now.';
  static override description =
    'Its next occurrence is planned from now; those of the time in between are not made up for.';
  static override examples = [
    '<%= config.bin %> schedules enable nightly-backup',
    '<%= config.bin %> schedules enable nightly-backup --json',
  ];
  static override args = { name: scheduleName() };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(SchedulesEnable);
    await this.execute(flags, async (context) => {
      const { name } = args;
      const db = await openSchedule(context, name);
      const isChanged = await enableSchedule({ db, name });
      return {
        result: { name, isEnabled: true, isChanged },
        render: (output) =>
          output.summary(
            isChanged ? `Schedule "${name}" is enabled.` : `Schedule "${name}" was enabled already.`,
          ),
      };
    });
  }
}
