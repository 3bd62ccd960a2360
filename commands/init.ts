import { join, resolve } from 'node:path';
import { string as stringArg } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import { initBody } from '../src/cli/init-body.ts';

export default class Init extends TendCommand {
  static override summary = 'Set up tend in an application’s folder.';
  static override description =
    'Finds the application’s database settings (.ini of Pyramid and Pylons, .env, Rails’ database.yml, DATABASE_URL), its message catalogs, how it is restarted and where it says that it is well; proposes a tend.toml that says where each setting comes from, and writes it when you agree. Then it creates schema "tend" in the database. No password is copied, and a tend.toml that is there is not touched.';
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init /srv/cms --dry-run',
    '<%= config.bin %> init /srv/cms --yes --grant-to cms_app',
  ];
  static override args = {
    folder: stringArg({ description: 'The application’s folder; this one unless named.' }),
  };
  static override flags = {
    yes: boolean({ char: 'y', summary: 'Ask nothing: write, and migrate.' }),
    'dry-run': boolean({ summary: 'Print the proposal, and do nothing.', exclusive: ['yes'] }),
    'no-migrate': boolean({ summary: 'Leave the database alone.' }),
    'grant-to': string({
      summary: 'Grant the SQL API to this role.',
      exclusive: ['no-migrate'],
      ...{ multiple: true, multipleNonGreedy: true, helpValue: 'ROLE' },
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Init);
    const { host } = this;
    const body = initBody({
      host,
      folder: resolve(host.cwd, args.folder ?? '.'),
      etc: '/etc',
      configFlag: flags.config,
      isDryRun: flags['dry-run'],
      migrates: !flags['no-migrate'],
      grantTo: flags['grant-to'] ?? [],
      asking: {
        isAgreed: flags.yes,
        mayAsk: !flags.json,
        hasDryRun: true,
        input: process.stdin,
        output: process.stderr,
      },
      program: { node: process.execPath, entry: join(this.config.root, 'bin/run.js') },
    });
    await this.execute(flags, body, { readsConfig: false });
  }
}
