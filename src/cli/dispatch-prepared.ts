import { resolve } from 'node:path';
import { parse } from 'valibot';
import { requireOwnDatabase } from '../database/require-own-database.ts';
import { requireSchema } from '../database/require-schema.ts';
import type { ComposedMessage } from '../mail/compose/compose-message.ts';
import { findComposingSettings } from '../mail/compose/composing-settings.ts';
import { type MailReport, mailReportSchema } from '../mail/delivery/mail-report.ts';
import { sendComposed } from '../mail/delivery/send-once.ts';
import { writeEml } from '../mail/delivery/write-eml.ts';
import { keepPrepared, payloadOf } from '../mail/sendmail/keep-prepared.ts';
import { prepareMessage } from '../mail/sendmail/prepare-message.ts';
import { signPrepared } from '../mail/sendmail/sign-prepared.ts';
import { findMailSettings } from '../mail/servers/mail-settings.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { type DispatchMailFlags, renderMailReport } from './dispatch-mail.ts';
import { enqueuePrepared } from './enqueue-prepared.ts';
import { hostName } from './handler-context.ts';
import { systemHost } from './process-host.ts';
import { runKindNow } from './run-kind-now.ts';
import { hasDatabase } from './send-mail-now.ts';
import { tryOutMail } from './try-out-mail.ts';

/** Who is to get the message, besides its headers or instead of them. */
export interface PreparedFlags extends DispatchMailFlags {
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  /** The envelope's sender. */
  from?: string | undefined;
}

const nothingSent = { accepted: [], refused: [], deferred: [], suppressed: [], reply: null };

/**
 * Does with a whole message what its flags say, as `dispatchMail` does with one that tend composes.
 *
 * @throws TendError MAIL_*, OUTPUT_UNWRITABLE, USAGE where nobody is to get it.
 */
export async function dispatchPrepared(
  context: CommandContext,
  input: Buffer,
  flags: PreparedFlags,
): Promise<CommandOutcome> {
  const { dkim } = findComposingSettings(context);
  const composed = await signPrepared({ ...context, composed: prepare(context, input, flags), dkim });
  const { messageId, raw } = composed;
  if (flags.eml !== undefined) {
    const file = resolve(context.cwd, flags.eml);
    await writeEml({ raw, file });
    const result = { ...nothingSent, messageId, taskId: null, file };
    return { result, render: (output) => output.summary(`Message written to ${file}`) };
  }
  if (flags['dry-run']) return await tryOutMail(context, composed);
  if (flags.queue) {
    const db = await context.openDatabase();
    await requireSchema(db);
    await requireOwnDatabase(db);
    const taskId = await enqueuePrepared({ db, composed });
    const result = { ...nothingSent, messageId, taskId };
    return { result, render: (output) => output.summary(`Task ${taskId} sends it at the next tick`) };
  }
  const { report, taskId } = await sendNow(context, composed);
  const exitCode = report.refused.length + report.deferred.length > 0 ? 3 : 0;
  return { result: { ...report, taskId }, exitCode, render: (output) => renderMailReport(report, output) };
}

function prepare(context: CommandContext, input: Buffer, flags: PreparedFlags): ComposedMessage {
  const { mail } = context.config;
  const recipients = [...flags.to, ...flags.cc, ...flags.bcc];
  return prepareMessage({
    request: {
      ...{ recipients, readsRecipients: recipients.length === 0, endsAtDot: false },
      ...{ sender: flags.from, fullName: undefined },
    },
    input,
    defaultFrom: mail.from,
    redirectAll: mail.redirect_all,
    aliases: mail.aliases,
    hostName: hostName(context),
    userName: systemHost().osUser ?? 'nobody',
    clock: context.clock,
  });
}

async function sendNow(
  context: CommandContext,
  composed: ComposedMessage,
): Promise<{ report: MailReport; taskId: number | null }> {
  const direct = async () =>
    await sendComposed({ ...context, composed, settings: findMailSettings(context) });
  if (!(await hasDatabase(context))) return { report: await direct(), taskId: null };
  const { taskId, evidence } = await runKindNow(context, {
    kind: 'send-mail',
    payload: payloadOf(composed),
    afterBirth: async (born) => await keepPrepared({ ...born, composed }),
    withoutQueue: direct,
  });
  return { report: parse(mailReportSchema, evidence), taskId };
}
