import { parse } from 'valibot';
import { TendError } from '../errors.ts';
import type { MailMessage } from '../mail/compose/mail-message.ts';
import { type MailReport, mailReportSchema } from '../mail/delivery/mail-report.ts';
import { sendOnce } from '../mail/delivery/send-once.ts';
import { findMailSettings } from '../mail/servers/mail-settings.ts';
import type { CommandContext } from './command-context.ts';
import { runKindNow } from './run-kind-now.ts';

export interface SentNow {
  report: MailReport;
  /** Null where it was sent without a queue. */
  taskId: number | null;
  /** 3 where some recipients have not got it. */
  exitCode: number;
}

/**
 * Sends a message while its writer waits: as a task claimed at birth, or where no database is configured at all,
 * directly.
 *
 * @throws TendError MAIL_*.
 */
export async function sendMailNow(context: CommandContext, message: MailMessage): Promise<SentNow> {
  const { taskId, report } = (await hasDatabase(context))
    ? await sendAsTask(context, message)
    : { taskId: null, report: await sendOnce({ ...context, message, settings: findMailSettings(context) }) };
  return { report, taskId, exitCode: report.refused.length + report.deferred.length > 0 ? 3 : 0 };
}

async function sendAsTask(context: CommandContext, message: MailMessage) {
  const { taskId, evidence } = await runKindNow(context, { kind: 'send-mail', payload: { ...message } });
  return { taskId, report: parse(mailReportSchema, evidence) };
}

/** Whether one is configured; it need not be there. */
export async function hasDatabase(context: CommandContext): Promise<boolean> {
  try {
    await context.connection();
    return true;
  } catch (error) {
    if (error instanceof TendError && error.code === 'DATABASE_NOT_CONFIGURED') return false;
    throw error;
  }
}
