import { TendCommand } from '../../src/cli/base-command.ts';
import { findConfigWarnings } from '../../src/config/find-config-warnings.ts';

export default class ConfigValidate extends TendCommand {
  static override summary = 'Check tend.toml and the TEND_ variables.';
  static override description =
    'Exits with 0 when the configuration is right and with 78 when it is not, naming file, line, key and what was expected, all problems at once. Settings that this version accepts without acting on them are warnings.';
  static override examples = [
    '<%= config.bin %> config validate',
    '<%= config.bin %> config validate --config /etc/tend.toml --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigValidate);
    await this.execute(flags, async ({ loadedConfig, configPath }) => {
      const warnings = findConfigWarnings(loadedConfig);
      return {
        result: { file: configPath ?? null, isValid: true, warnings },
        render(output) {
          for (const { place, text } of warnings) output.warn(`${place}: ${text}`);
          output.summary(`${configPath ?? 'The configuration (there is no tend.toml)'} is valid`);
        },
      };
    });
  }
}
