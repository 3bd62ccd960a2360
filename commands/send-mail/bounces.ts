import { string } from '@oclif/core/flags';
import { TendCommand } from '../../src/cli/base-command.ts';
import { bouncesBody } from '../../src/cli/bounces-body.ts';

export default class SendMailBounces extends TendCommand {
  static override summary = 'Record which messages have come back, and who gets no more mail.';
  static override description =
    'Reads the reports of mail servers (RFC 3464), and complaints (RFC 5965), from the Maildir of [mail] bounces, or one of them from standard input with --maildir -. What is recorded is filed as seen; all other mail stays as it is. Addresses that do not exist, and those of people who complained, are suppressed. With standard input the exit code is for a mail server: 75 is "try again", 65 is "not for me".';
  static override examples = [
    '<%= config.bin %> send-mail bounces --maildir /var/mail/bounces',
    '<%= config.bin %> send-mail bounces --maildir - < report.eml',
  ];
  static override flags = {
    maildir: string({
      summary: 'The Maildir; "-" for one message on standard input. Default: [mail] bounces.',
      helpValue: 'DIR',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SendMailBounces);
    const isPiped = flags.maildir === '-';
    const body = bouncesBody({ maildir: flags.maildir, stdin: process.stdin });
    await this.execute(flags, body, isPiped ? { readsConfig: 'if-valid' } : {});
  }
}
