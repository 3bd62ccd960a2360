import { join } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { crontabFlags, matching } from '../../src/cli/crontab-flags.ts';
import { renderCrontab } from '../../src/cli/render-crontab.ts';
import { describeTickCall } from '../../src/crontab/describe-tick-call.ts';

export default class Crontab extends TendCommand {
  static override summary = 'Print what calls tend every minute.';
  static override description =
    'A file for /etc/cron.d, unless a flag asks for another form. Paths of Node, tend and tend.toml are absolute, since cron knows none of them. Nothing is written: that is for "crontab install", or for you.';
  static override examples = [
    '<%= config.bin %> crontab > /etc/cron.d/cms',
    '<%= config.bin %> crontab --systemd --run-as cms',
    '<%= config.bin %> crontab --kubernetes --image registry.example.org/cms:1.42 | kubectl apply -f -',
  ];
  static override flags = {
    user: boolean({
      summary: 'Lines for a user’s crontab, which name no user.',
      exclusive: ['systemd', 'kubernetes'],
    }),
    systemd: boolean({ summary: 'A service and a timer, hardened.', exclusive: ['kubernetes'] }),
    kubernetes: boolean({ summary: 'A CronJob.' }),
    image: string({
      summary: 'The image of the CronJob, with tend in it.',
      dependsOn: ['kubernetes'],
      helpValue: 'IMAGE',
      parse: async (image) => matching(image, /^[\w./:@-]+$/, '--image', 'the name of an image'),
    }),
    name: string({
      summary: 'Name of units and CronJob; of tend.toml’s folder unless set.',
      helpValue: 'NAME',
      parse: async (name) =>
        matching(name, /^[a-z0-9]([a-z0-9-]{0,44}[a-z0-9])?$/, '--name', 'up to 46 of a-z, 0-9 and "-"'),
    }),
    ...crontabFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Crontab);
    const { osUser } = this.host;
    await this.execute(flags, async ({ loadedConfig }) => {
      const call = describeTickCall({
        ...{ loadedConfig, osUser, node: process.execPath, entry: join(this.config.root, 'bin/run.js') },
        choices: { name: flags.name, user: flags['run-as'], mailTo: flags['mail-to'] },
      });
      return renderCrontab({ call, flags, loadedConfig });
    });
  }
}
