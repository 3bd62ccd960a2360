import { TendCommand } from '../../src/cli/base-command.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';

export default class AppCheck extends TendCommand {
  static override summary = 'Check that the application is healthy.';
  static override description =
    'Asks as [app] check of tend.toml says, again and again until it is healthy or the time is over. Exit code 69: it is not healthy.';
  static override examples = [
    '<%= config.bin %> app check',
    '<%= config.bin %> app check --timeout 5s --json',
  ];
  static override flags = {
    timeout: duration({ summary: 'Keep trying for this long. Default: [app] check within.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AppCheck);
    await this.execute(flags, async (context) => {
      const payload = flags.timeout === undefined ? {} : { withinMs: flags.timeout };
      const { taskId, evidence } = await runKindNow(context, { kind: 'check-app', payload });
      return {
        result: { isHealthy: true, ...evidence, taskId },
        render: (output) => output.summary('The application is healthy.'),
      };
    });
  }
}
