import { buffer } from 'node:stream/consumers';
import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import { dispatchMail } from '../src/cli/dispatch-mail.ts';
import { dispatchPrepared } from '../src/cli/dispatch-prepared.ts';
import { contentFlags, queueFlags, several } from '../src/cli/message-flags.ts';
import { untilMoment } from '../src/cli/moment-flag.ts';
import { messageFromFlags } from '../src/mail/compose/message-from-flags.ts';
import { readMessage } from '../src/mail/sendmail/read-input.ts';

export default class SendMail extends TendCommand {
  static override summary = 'Send one message now, or queue it.';
  static override description =
    'Sends through the server of [mail] url in tend.toml. Where a database is configured the message is a task like any other, with its history. It is tried once while you wait; with --queue it is retried until the server takes it. Each address is one mailbox: bob@example.org or "Bob <bob@example.org>". With --message the recipients are those of --to, --cc and --bcc, else those of its headers, and Bcc leaves the data. Exit code 3: some recipients were refused.';
  static override examples = [
    '<%= config.bin %> send-mail --to bob@example.org --subject "Backup done" --text "All is well."',
    'df -h | <%= config.bin %> send-mail --to ops@example.org --subject "Disks" --text - --queue',
    `<%= config.bin %> send-mail --to ann@example.org --template welcome --data '{"name": "Ann"}' --locale pl`,
    '<%= config.bin %> send-mail --message newsletter.eml --to ann@example.org --dry-run',
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
    message: string({
      summary: 'A whole message with its headers; "-" reads it from standard input.',
      helpValue: 'FILE',
      exclusive: [
        'subject',
        'text',
        'html',
        'attach',
        'inline',
        'template',
        'importance',
        'expires',
        'priority',
        'not-before',
      ],
    }),
    queue: boolean({ summary: 'Leave it to the next tick.', exclusive: ['eml', 'dry-run'] }),
    ...queueFlags,
    'dry-run': boolean({
      summary: 'Compose it and ask the mail server about the recipients; send nothing.',
      exclusive: ['eml'],
    }),
    eml: string({ summary: 'Write the message to this file instead of sending it.', helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SendMail);
    await this.execute(flags, async (context) => {
      const { cwd, signal, clock } = context;
      if (flags.message !== undefined) {
        const input = await readMessage({ file: flags.message, cwd, stdin: process.stdin });
        return await dispatchPrepared(context, input, flags);
      }
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
