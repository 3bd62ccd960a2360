import { string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { prepareDatabase } from '../../src/cli/prepare-database.ts';

export default class MigrationsUp extends TendCommand {
  static override summary = 'Create or update schema "tend" in the database.';
  static override description =
    'Never happens inside a tick. Two at once are safe. With --grant-to, the role of the application may call tend.enqueue, tend.cancel, tend.retry, tend.task, tend.schedule and tend.unschedule and read three views; it gets no right on any table. Repeat it after an update: a function that is new has to be granted too.';
  static override examples = [
    '<%= config.bin %> migrations up',
    '<%= config.bin %> migrations up --grant-to cms_app',
  ];
  static override flags = {
    'grant-to': string({
      summary: 'Grant the SQL API to this role.',
      ...{ multiple: true, multipleNonGreedy: true, helpValue: 'ROLE' },
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(MigrationsUp);
    await this.execute(flags, async (context) => {
      const { applied, grantedTo } = await prepareDatabase({
        db: await context.openDatabase(),
        config: context.config,
        grantTo: flags['grant-to'] ?? [],
      });
      return {
        result: { applied, grantedTo },
        render(output) {
          for (const name of applied) output.summary(`Applied ${name}.`);
          if (applied.length === 0) output.summary('Nothing to apply.');
          for (const role of grantedTo) output.summary(`Granted the SQL API to "${role}".`);
        },
      };
    });
  }
}
