import { TendCommand } from '../../src/cli/base-command.ts';
import { changeCrontab } from '../../src/cli/change-crontab.ts';
import { askingOfFlags, crontabPlaceFlags, placeOfFlags } from '../../src/cli/crontab-place-flags.ts';
import { configPathToRemove } from '../../src/crontab/config-path-to-remove.ts';
import { planRemoval } from '../../src/crontab/plan-crontab.ts';

export default class CrontabRemove extends TendCommand {
  static override summary = 'Have cron call tend no longer.';
  static override description =
    'Removes what "crontab install" added for this tend.toml, which need not exist any more: name it with --config then. Other lines, and those of other sites, stay as they are. What runs goes on to its end.';
  static override examples = [
    '<%= config.bin %> crontab remove',
    '<%= config.bin %> crontab remove --file /etc/cron.d/tend --yes',
  ];
  static override flags = crontabPlaceFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(CrontabRemove);
    const { osUser } = this.host;
    await this.execute(
      flags,
      async (context) => {
        const { cwd, env, output } = context;
        const configPath = configPathToRemove({ cwd, env, configFlag: flags.config });
        return await changeCrontab({
          plan: await planRemoval(placeOfFlags({ flags, context, osUser }), configPath),
          isDryRun: flags['dry-run'],
          asking: askingOfFlags({ flags, context, osUser }),
          ...{
            output,
            done: 'cron does not call tend any more by',
            nothingToDo: 'Nothing of this site is in',
          },
        });
      },
      { readsConfig: false },
    );
  }
}
