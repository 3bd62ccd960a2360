import { boolean } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { validateBody } from '../../src/cli/validate-body.ts';

export default class ConfigValidate extends TendCommand {
  static override summary = 'Check tend.toml and the TEND_ variables.';
  static override description =
    'Exits with 0 when the configuration is right and with 78 when it is not, naming file, line, key and what was expected, all problems at once. Settings that this version accepts without acting on them are warnings. With --environment also what the environment must give: the variables of env:NAME, the settings of the connection, programs on PATH; exit code 4 where something is missing. Connects to nothing.';
  static override examples = [
    '<%= config.bin %> config validate',
    '<%= config.bin %> config validate --config /etc/tend.toml --json',
    'env -i HOME="$HOME" PATH=/usr/bin:/bin <%= config.bin %> config validate --environment',
  ];
  static override flags = {
    environment: boolean({ summary: 'Also check what is taken from the environment.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigValidate);
    await this.execute(flags, (context) => validateBody(context, { looksAtEnvironment: flags.environment }));
  }
}
