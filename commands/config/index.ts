import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { showConfig } from '../../src/config/show-config.ts';

export default class Config extends TendCommand {
  static override summary = 'Show the settings in force.';
  static override description =
    'Prints every setting after tend.toml, the environment (TEND_SECTION_KEY) and the defaults have been put together. Passwords are not shown.';
  static override examples = [
    '<%= config.bin %> config --origin',
    '<%= config.bin %> config --config /etc/tend.toml --json',
  ];
  static override flags = {
    origin: boolean({ summary: 'Say for each setting where it comes from.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Config);
    await this.execute(flags, async ({ loadedConfig, secrets }) => {
      const settings = showConfig({ loaded: loadedConfig, secrets });
      return {
        result: { file: loadedConfig.configPath ?? null, settings },
        render(output) {
          for (const { key, value, origin } of settings) {
            const line = `${key} = ${JSON.stringify(value)}`;
            output.print(flags.origin ? `${line}\t# ${origin}` : line);
          }
        },
      };
    });
  }
}
