import { string as stringArgument } from '@oclif/core/args';
import { option, string } from '@oclif/core/flags';
import { TendCommand } from '../../../src/cli/base-command.ts';
import { changeAddresses } from '../../../src/cli/change-addresses.ts';
import { suppressAddress } from '../../../src/mail/suppression/change-suppressions.ts';

export default class SendMailSuppressionsAdd extends TendCommand {
  static override summary = 'Send no more mail to these addresses.';
  static override description =
    'From the next attempt on, also of messages that wait already. Where an address is on the list for a weaker reason, the reason changes: bounce, manual, unsubscribe, complaint.';
  static override examples = [
    '<%= config.bin %> send-mail suppressions add bob@example.org',
    '<%= config.bin %> send-mail suppressions add bob@example.org --reason unsubscribe --detail "by phone"',
  ];
  static override args = {
    address: stringArgument({ description: 'The addresses.', required: true, multiple: true }),
  };
  static override flags = {
    reason: option({
      summary: 'Why.',
      options: ['manual', 'bounce', 'unsubscribe', 'complaint'] as const,
      default: 'manual',
    })(),
    detail: string({ summary: 'More about it, for people.', helpValue: 'TEXT' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(SendMailSuppressionsAdd);
    await this.execute(flags, async (context) => {
      const db = await context.openDatabase();
      const { reason, detail } = flags;
      return await changeAddresses(args.address, (address) =>
        suppressAddress({ db, address, reason, detail }),
      );
    });
  }
}
