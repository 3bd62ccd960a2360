import { buffer } from 'node:stream/consumers';
import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import { dispatchMail } from '../src/cli/dispatch-mail.ts';
import { contentFlags, queueFlags, several } from '../src/cli/message-flags.ts';
import { untilMoment } from '../src/cli/moment-flag.ts';
import { messageFromFlags } from '../src/mail/message-from-flags.ts';

export default class SendMail extends TendCommand {
  static override summary = 'Send one message now, or queue it.';
  static override description =
    'Sends through the server of [mail] url in tend.toml. Where a database is configured the message is a task like any other, with its history. It is tried once while you wait; with --queue it is retried until the server takes it. Each address is one mailbox: bob@example.org or "Bob <bob@example.org>". Exit code 3: some recipients were refused.';
  static override examples = [
    '<%= config.bin %> send-mail --to bob@example.org --subject "Backup done" --text "All is well."',
    'df -h | <%= config.bin %> send-mail --to ops@example.org --subject "Disks" --text - --queue',
    `<%= config.bin %> send-mail --to ann@example.org --template welcome --data '{"name": "Ann"}' --locale pl`,
  ];
  static override flags = {
    to: several('Recipient; repeat it for more.', 'ADDRESS'),
    cc: several('Recipient of a copy.', 'ADDRESS'),
    bcc: several('Recipient that the others do not see.', 'ADDRESS'),
    from: string({ summary: 'Sender. Default: [mail] from.', helpValue: 'ADDRESS' }),
    subject: string({ summary: 'Subject line. Default: of the template.' }),
    text: string({ summary: 'Plain text; "-" reads it from standard input.' }),
    html: string({ summary: 'HTML; "-" reads it from standard input.' }),
    ...contentFlags,
    queue: boolean({ summary: 'Leave it to the next tick.', exclusive: ['eml', 'dry-run'] }),
    ...queueFlags,
    'dry-run': boolean({ summary: 'Compose and check it, send nothing.', exclusive: ['eml'] }),
    eml: string({ summary: 'Write the message to this file instead of sending it.', helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SendMail);
    await this.execute(flags, async (context) => {
      const { cwd, signal, clock } = context;
      const now = clock.now();
      const { expires, 'not-before': notBefore } = flags;
      const message = await messageFromFlags({
        flags,
        cwd,
        signal,
        expiresAt: expires && new Date(now.getTime() + untilMoment(expires, now)),
        readStandardInput: async () => await buffer(process.stdin),
      });
      const delayMs = notBefore && untilMoment(notBefore, now);
      return await dispatchMail(context, message, { ...flags, delayMs });
    });
  }
}
