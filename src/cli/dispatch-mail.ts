import { resolve } from 'node:path';
import { countOf } from '../count-of.ts';
import { maskAddress, maskAddressesIn } from '../mail/addresses/mail-address.ts';
import { type ComposedMessage, composeMessage } from '../mail/compose/compose-message.ts';
import { findComposingSettings } from '../mail/compose/composing-settings.ts';
import type { MailMessage } from '../mail/compose/mail-message.ts';
import type { MailReport } from '../mail/delivery/mail-report.ts';
import { writeEml } from '../mail/delivery/write-eml.ts';
import { enqueueTask } from '../tasks/enqueue-task.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import type { Output } from './output.ts';
import { sendMailNow } from './send-mail-now.ts';
import { tryOutMail } from './try-out-mail.ts';

export interface DispatchMailFlags {
  /** Write it to this file; relative to the working directory. */
  eml?: string | undefined;
  /** Compose it, and ask the mail server about its recipients; see `tryOutMail`. */
  'dry-run': boolean;
  /** Leave it to the next tick. */
  queue: boolean;
  /** Of the queued task. */
  priority?: number | undefined;
  delayMs?: number | undefined;
}

/**
 * Does with a typed message what its flags say: to a file, tried out, to the queue, or out now. Whatever the way, a bad
 * address is found while the person who typed it is still there.
 *
 * @throws TendError MAIL_*, OUTPUT_UNWRITABLE.
 */
export async function dispatchMail(
  context: CommandContext,
  message: MailMessage,
  flags: DispatchMailFlags,
): Promise<CommandOutcome> {
  if (flags.eml !== undefined) return await writeToFile(context, message, resolve(context.cwd, flags.eml));
  if (flags['dry-run']) return await tryOutMail(context, await compose(context, message), message.server);
  if (flags.queue) return await queue(context, message, flags);
  const { report, taskId, exitCode } = await sendMailNow(context, message);
  return { result: { ...report, taskId }, exitCode, render: (output) => renderMailReport(report, output) };
}

const nothingSent = { accepted: [], refused: [], deferred: [], suppressed: [], reply: null };

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

async function queue(
  context: CommandContext,
  message: MailMessage,
  { priority, delayMs }: DispatchMailFlags,
): Promise<CommandOutcome> {
  await compose(context, message);
  const db = await context.openDatabase();
  const taskId = await enqueueTask({ db, kind: 'send-mail', payload: { ...message }, priority, delayMs });
  const result = { ...nothingSent, messageId: null, taskId };
  const when = delayMs === undefined ? 'at the next tick' : 'when it is due';
  return { result, render: (output) => output.summary(`Task ${taskId} sends it ${when}`) };
}

/** A typed message carries its attachments: no directory has to be permitted. */
async function compose(context: CommandContext, message: MailMessage): Promise<ComposedMessage> {
  const settings = { ...findComposingSettings(context), attachmentsFrom: [] };
  return await composeMessage({ ...context, ...settings, message });
}

/** What became of the recipients, for a person. */
export function renderMailReport(report: MailReport, output: Output): void {
  const { accepted, refused, deferred, reply } = report;
  for (const { address, reply: said } of [...refused, ...deferred]) {
    output.warn(`${maskAddress(address)} was not taken: ${maskAddressesIn(said)}`);
  }
  output.summary(`${countOf(accepted.length, 'recipient')} accepted: ${reply ?? ''}`);
}
