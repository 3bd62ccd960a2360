import { TendCommand } from '../../src/cli/base-command.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';

export default class ConfigSchema extends TendCommand {
  static override summary = 'Print the JSON Schema of tend.toml.';
  static override description =
    'For editors that check TOML while you type: save it and name it in the first line of tend.toml as "#:schema ./tend.schema.json".';
  static override examples = [
    '<%= config.bin %> config schema > tend.schema.json',
    '<%= config.bin %> config schema --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigSchema);
    await this.execute(
      flags,
      async () => {
        const schema = await configJsonSchema();
        return { result: schema, render: (output) => output.print(JSON.stringify(schema, null, 2)) };
      },
      { readsConfig: false },
    );
  }
}
