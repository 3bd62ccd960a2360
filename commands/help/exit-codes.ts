import { TendCommand } from '../../src/cli/base-command.ts';
import { listExitCodes } from '../../src/cli/list-exit-codes.ts';

export default class HelpExitCodes extends TendCommand {
  static override summary = 'Say what each exit code means.';
  static override description =
    'Numbers from 64 on are those of sysexits(3), which systemd knows by name. An error in JSON carries the same number as exitCode.';
  static override examples = [
    '<%= config.bin %> help exit-codes',
    '<%= config.bin %> help exit-codes --json',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(HelpExitCodes);
    await this.execute(
      flags,
      async () => {
        const exitCodes = listExitCodes();
        return {
          result: { exitCodes },
          render(output) {
            output.table(
              [{ title: 'code', align: 'right' }, 'meaning'],
              exitCodes.map(({ code, meaning }) => [String(code), meaning]),
            );
          },
        };
      },
      { readsConfig: false },
    );
  }
}
