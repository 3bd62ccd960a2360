import { type MailMessage, mailMessageSchema } from '../../mail/mail-message.ts';
import { findMailSettings } from '../../mail/mail-settings.ts';
import { sendForTask } from '../../mail/send-for-task.ts';
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
  const result = await sendForTask({ taskId, message, settings, db, baseDirectory, clock, signal, log });
  const evidence = { ...result.report };
  if (result.state === 'unknown') return { outcome: 'unknown', reason: result.reason, evidence };
  if (result.state === 'dropped')
    log.warn('Nobody knows whether the message was delivered; on_unknown = drop closes it.');
  return { outcome: 'succeeded', evidence, exitCode: result.state === 'partly-sent' ? 3 : 0 };
}
