import { string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { openSchedule } from '../../src/cli/open-schedule.ts';
import { scheduleName } from '../../src/cli/schedule-name.ts';
import { whoDecides } from '../../src/cli/who-decides.ts';
import { disableSchedule } from '../../src/schedules/change-schedule.ts';

export default class SchedulesDisable extends TendCommand {
  static override summary = 'Stop a schedule until it is enabled.';
  static override description =
    'Also one of tend.toml, on every host. What it has enqueued already stays; cancel it as any task.';
  static override examples = [
    '<%= config.bin %> schedules disable nightly-backup',
    '<%= config.bin %> schedules disable nightly-backup --reason "moving the disks"',
  ];
  static override args = { name: scheduleName() };
  static override flags = {
    reason: string({ summary: 'Why; shown with the schedule.', helpValue: 'TEXT' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(SchedulesDisable);
    await this.execute(flags, async (context) => {
      const { name } = args;
      const by = `disabled by ${whoDecides(context)}`;
      const reason = flags.reason === undefined ? by : `${by}: ${flags.reason}`;
      const isChanged = await disableSchedule({ db: await openSchedule(context, name), name, reason });
      return {
        result: { name, isEnabled: false, isChanged },
        render: (output) =>
          output.summary(
            isChanged ? `Schedule "${name}" is disabled.` : `Schedule "${name}" was disabled already.`,
          ),
      };
    });
  }
}
