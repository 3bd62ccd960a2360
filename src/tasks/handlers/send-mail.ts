import { type MailMessage, mailMessageSchema } from '../../mail/mail-message.ts';
import type { MailReport } from '../../mail/mail-report.ts';
import { findMailSettings } from '../../mail/mail-settings.ts';
import { sendForTask } from '../../mail/send-for-task.ts';
import { sendOnce } from '../../mail/send-once.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

/**
 * Kind `send-mail`: one message, composed by the first attempt and sent as the same bytes by every other. Refused
 * recipients beside accepted ones do not fail the task: exit code 3, and the replies stand in its evidence.
 */
export const sendMail: TaskHandler<MailMessage> = { payloadSchema: mailMessageSchema, run };

async function run(task: RunningTask<MailMessage>): Promise<TaskResult> {
  const { context, id: taskId, payload: message, signal, log } = task;
  const settings = findMailSettings(context);
  const { db, baseDirectory, clock } = context;
  const shared = { message, settings, baseDirectory, clock, signal, log };
  // Without a queue behind it there is nowhere to keep the message: it is sent, once.
  if (taskId === 0) return succeeded(await sendOnce(shared));
  const result = await sendForTask({ ...shared, taskId, db });
  if (result.state === 'unknown') {
    return { outcome: 'unknown', reason: result.reason, evidence: { ...result.report } };
  }
  if (result.state === 'dropped') {
    log.warn('Nobody knows whether the message was delivered; on_unknown = drop closes it.');
  }
  return succeeded(result.report);
}

function succeeded(report: MailReport): TaskResult {
  const isPartial = report.refused.length + report.deferred.length > 0;
  return { outcome: 'succeeded', evidence: { ...report }, exitCode: isPartial ? 3 : 0 };
}
