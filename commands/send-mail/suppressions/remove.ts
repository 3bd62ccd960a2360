import { string } from '@oclif/core/args';
import { TendCommand } from '../../../src/cli/base-command.ts';
import { changeAddresses } from '../../../src/cli/change-addresses.ts';
import { unsuppressAddress } from '../../../src/mail/suppression/change-suppressions.ts';

export default class SendMailSuppressionsRemove extends TendCommand {
  static override summary = 'Let these addresses have mail again.';
  static override description =
    'What was left out meanwhile is not made up for. An address that is not on the list stays as it is.';
  static override examples = [
    '<%= config.bin %> send-mail suppressions remove bob@example.org',
    '<%= config.bin %> send-mail suppressions remove bob@example.org ann@example.org --json',
  ];
  static override args = {
    address: string({ description: 'The addresses.', required: true, multiple: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(SendMailSuppressionsRemove);
    await this.execute(flags, async (context) => {
      const db = await context.openDatabase();
      return await changeAddresses(args.address, async (address) =>
        (await unsuppressAddress({ db, address })) ? 'removed' : 'unchanged',
      );
    });
  }
}
