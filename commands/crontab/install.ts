import { join } from 'node:path';
import { TendCommand } from '../../src/cli/base-command.ts';
import { changeCrontab } from '../../src/cli/change-crontab.ts';
import { crontabFlags } from '../../src/cli/crontab-flags.ts';
import { askingOfFlags, crontabPlaceFlags, placeOfFlags } from '../../src/cli/crontab-place-flags.ts';
import { describeTickCall } from '../../src/crontab/describe-tick-call.ts';
import { planInstallation } from '../../src/crontab/plan-crontab.ts';

export default class CrontabInstall extends TendCommand {
  static override summary = 'Have cron call tend every minute.';
  static override description =
    'Adds the tick to your crontab, or to a file of /etc/cron.d, between two marked lines that name tend.toml: other lines, and those of other sites, stay as they are. Shows the change and asks; repeated, it changes only what is out of date.';
  static override examples = [
    '<%= config.bin %> crontab install',
    '<%= config.bin %> crontab install --file /etc/cron.d/tend --run-as cms --yes',
  ];
  static override flags = { ...crontabFlags, ...crontabPlaceFlags };

  async run(): Promise<void> {
    const { flags } = await this.parse(CrontabInstall);
    const { osUser } = this.host;
    await this.execute(flags, async (context) => {
      const { loadedConfig, output } = context;
      const owner = flags.file === undefined ? osUser : undefined;
      const call = describeTickCall({
        ...{ loadedConfig, osUser, node: process.execPath, entry: join(this.config.root, 'bin/run.js') },
        choices: { user: flags['run-as'] ?? owner, mailTo: flags['mail-to'] },
      });
      const place = placeOfFlags({ flags, context, osUser });
      return await changeCrontab({
        plan: await planInstallation(place, call),
        isDryRun: flags['dry-run'],
        asking: askingOfFlags({ flags, context, osUser }),
        ...{ output, done: 'cron calls tend by', nothingToDo: 'cron calls tend already by' },
      });
    });
  }
}
