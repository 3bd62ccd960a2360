import { TendCommand } from '../../src/cli/base-command.ts';
import { duration } from '../../src/cli/duration-flag.ts';
import { runKindNow } from '../../src/cli/run-kind-now.ts';

export default class AppRestart extends TendCommand {
  static override summary = 'Restart the application, and make sure it is healthy.';
  static override description =
    'Runs [app] restart of tend.toml, then [app] check where that is configured. Exit code 1: it could not be restarted. 69: it was, and is not healthy.';
  static override examples = [
    '<%= config.bin %> app restart',
    '<%= config.bin %> app restart --timeout 30s --json',
  ];
  static override flags = {
    timeout: duration({
      summary: 'How long it may take to be healthy afterwards. Default: [app] check within.',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AppRestart);
    await this.execute(flags, async (context) => {
      const payload = flags.timeout === undefined ? {} : { withinMs: flags.timeout };
      const { taskId, evidence } = await runKindNow(context, { kind: 'restart-app', payload });
      const health =
        evidence['isChecked'] === true ? 'is healthy' : 'was not checked: [app] check is missing';
      return {
        result: { ...evidence, taskId },
        render: (output) => output.summary(`The application was restarted and ${health}.`),
      };
    });
  }
}
