import { TendCommand } from '../../src/cli/base-command.ts';
import { listEnvironmentVariables } from '../../src/cli/list-environment-variables.ts';

export default class HelpEnvironment extends TendCommand {
  static override summary = 'List the environment variables that tend reads.';
  static override description =
    'Flags win over the environment, and the environment wins over tend.toml. Every simple setting of tend.toml has a variable, TEND_SECTION_KEY.';
  static override examples = [
    '<%= config.bin %> help environment',
    '<%= config.bin %> help environment --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(HelpEnvironment);
    await this.execute(
      flags,
      async () => {
        const variables = listEnvironmentVariables();
        return {
          result: { variables },
          render(output) {
            output.table(
              ['variable', 'meaning'],
              variables.map(({ name, meaning }) => [name, meaning]),
            );
          },
        };
      },
      { readsConfig: false },
    );
  }
}
