import { resolve } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { boolean, string } from '@oclif/core/flags';
import { TendCommand } from '../src/cli/base-command.ts';
import type { CommandContext, CommandOutcome } from '../src/cli/command-context.ts';
import type { Output } from '../src/cli/output.ts';
import { sendMailNow } from '../src/cli/send-mail-now.ts';
import { type ComposedMessage, composeMessage } from '../src/mail/compose-message.ts';
import { maskAddress, maskAddressesIn } from '../src/mail/mail-address.ts';
import type { MailMessage } from '../src/mail/mail-message.ts';
import type { MailReport } from '../src/mail/mail-report.ts';
import { findMailSettings } from '../src/mail/mail-settings.ts';
import { messageFromFlags } from '../src/mail/message-from-flags.ts';
import { writeEml } from '../src/mail/write-eml.ts';
import { enqueueTask } from '../src/tasks/enqueue-task.ts';

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
    'dry-run': boolean({ summary: 'Compose and check it, send nothing.', exclusive: ['eml'] }),
    eml: string({ summary: 'Write the message to this file instead of sending it.', helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SendMail);
    await this.execute(flags, async (context) => {
      const { cwd } = context;
      const message = await messageFromFlags({
        flags,
        cwd,
        readStandardInput: () => readText(process.stdin),
      });
      if (flags.eml !== undefined) return await writeToFile(context, message, resolve(cwd, flags.eml));
      if (flags['dry-run']) return await tryOut(context, message);
      if (flags.queue) return await queue(context, message);
      const { report, taskId, exitCode } = await sendMailNow(context, message);
      return { result: { ...report, taskId }, exitCode, render: (output) => render(report, output) };
    });
  }
}

const nothingSent = { accepted: [], refused: [], deferred: [], reply: null };

async function compose({ config, baseDirectory, clock, signal }: CommandContext, message: MailMessage) {
  const { from: defaultFrom, redirect_all: redirectAll } = config.mail;
  return await composeMessage({ message, defaultFrom, redirectAll, baseDirectory, clock, signal });
}

async function writeToFile(
  context: CommandContext,
  message: MailMessage,
  file: string,
): Promise<CommandOutcome> {
  const { messageId, raw } = await compose(context, message);
  await writeEml({ raw, file });
  const result = { ...nothingSent, messageId, taskId: null, file };
  return { result, render: (output) => output.summary(`Message written to ${file}`) };
}

async function tryOut(context: CommandContext, message: MailMessage): Promise<CommandOutcome> {
  findMailSettings(context);
  const { messageId, envelope, raw }: ComposedMessage = await compose(context, message);
  const result = { ...nothingSent, messageId, taskId: null, recipients: envelope.to, bytes: raw.length };
  const line = `Would send ${raw.length} bytes from ${envelope.from} to ${envelope.to.join(', ')}`;
  return { result, render: (output) => output.print(line) };
}

/** Composes it first: a bad address is found while the person who typed it is still there. */
async function queue(context: CommandContext, message: MailMessage): Promise<CommandOutcome> {
  await compose(context, message);
  const taskId = await enqueueTask({
    db: await context.openDatabase(),
    kind: 'send-mail',
    payload: { ...message },
  });
  const result = { ...nothingSent, messageId: null, taskId };
  return { result, render: (output) => output.summary(`Task ${taskId} sends it at the next tick`) };
}

function render(report: MailReport, output: Output): void {
  const { accepted, refused, deferred, reply } = report;
  for (const { address, reply: said } of [...refused, ...deferred]) {
    output.warn(`${maskAddress(address)} was not taken: ${maskAddressesIn(said)}`);
  }
  output.summary(
    `${accepted.length} ${accepted.length === 1 ? 'recipient' : 'recipients'} accepted: ${reply ?? ''}`,
  );
}
