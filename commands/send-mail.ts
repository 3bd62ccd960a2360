import { text as readText } from 'node:stream/consumers';
import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import { dispatchMail } from '../src/cli/dispatch-mail.ts';
import { messageFromFlags } from '../src/mail/message-from-flags.ts';

/** A flag that may be repeated. */
function several(summary: string, helpValue: string) {
  return string({ summary, helpValue, multiple: true, multipleNonGreedy: true, default: [] });
}

export default class SendMail extends TendCommand {
  static override summary = 'Send one message now, or queue it.';
  static override description =
    'Sends through the server of [mail] url in tend.toml. Where a database is configured the message is a task like any other, with its history. It is tried once while you wait; with --queue it is retried until the server takes it. Each address is one mailbox: bob@example.org or "Bob <bob@example.org>". Exit code 3: some recipients were refused.';
  static override examples = [
    '<%= config.bin %> send-mail --to bob@example.org --subject "Backup done" --text "All is well."',
    'df -h | <%= config.bin %> send-mail --to ops@example.org --subject "Disks" --text - --queue',
  ];
  static override flags = {
    to: several('Recipient; repeat it for more.', 'ADDRESS'),
    cc: several('Recipient of a copy.', 'ADDRESS'),
    bcc: several('Recipient that the others do not see.', 'ADDRESS'),
    from: string({ summary: 'Sender. Default: [mail] from.', helpValue: 'ADDRESS' }),
    subject: string({ summary: 'Subject line.', required: true }),
    text: string({ summary: 'Plain text; "-" reads it from standard input.' }),
    html: string({ summary: 'HTML; "-" reads it from standard input.' }),
    attach: several('File to attach; repeat it for more.', 'FILE'),
    queue: boolean({ summary: 'Leave it to the next tick.', exclusive: ['eml', 'dry-run'] }),
    'dry-run': boolean({
      summary: 'Compose it and ask the mail server about the recipients; send nothing.',
      exclusive: ['eml'],
    }),
    eml: string({ summary: 'Write the message to this file instead of sending it.', helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SendMail);
    await this.execute(flags, async (context) => {
      const { cwd, signal } = context;
      const readStandardInput = async () => await readText(process.stdin);
      const message = await messageFromFlags({ flags, cwd, signal, readStandardInput });
      return await dispatchMail(context, message, flags);
    });
  }
}
