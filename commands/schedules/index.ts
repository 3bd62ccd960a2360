import { TendCommand } from '../../src/cli/base-command.ts';
import { hostName } from '../../src/cli/handler-context.ts';
import { printSchedules } from '../../src/cli/schedule-table.ts';
import { listSchedules } from '../../src/schedules/list-schedules.ts';

export default class Schedules extends TendCommand {
  static override summary = 'List schedules with their next and last occurrence.';
  static override description =
    'Those of tend.toml and those made by SQL (tend.schedule). Times are by the clock of each schedule. Piped, the table is tab-separated.';
  static override examples = ['<%= config.bin %> schedules', '<%= config.bin %> schedules --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(Schedules);
    await this.execute(flags, async (context) => {
      const schedules = await listSchedules({
        db: await context.openDatabase(),
        configured: context.config.schedules,
        host: hostName(context),
      });
      return {
        result: { schedules },
        render(output) {
          if (schedules.length > 0) printSchedules(schedules, output);
          else output.summary('There are no schedules: add [schedules.NAME] to tend.toml.');
        },
      };
    });
  }
}
