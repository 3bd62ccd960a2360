import { TendError } from '../../errors.ts';
import { type MailMessage, mailMessageSchema } from '../../mail/compose/mail-message.ts';
import { Courier } from '../../mail/delivery/courier.ts';
import { DeliveryStore } from '../../mail/delivery/delivery-store.ts';
import type { MailReport } from '../../mail/delivery/mail-report.ts';
import { sendForTask } from '../../mail/delivery/send-for-task.ts';
import { sendOnce } from '../../mail/delivery/send-once.ts';
import { defaultServer } from '../../mail/servers/mail-server.ts';
import { findMailSettings, type MailSettings } from '../../mail/servers/mail-settings.ts';
import type { HandlerContext, RunningTask, TaskHandler, TaskResult } from './handler.ts';

/**
 * Kind `send-mail`: one message, composed by the first attempt and sent as the same bytes by every other. Refused
 * recipients beside accepted ones do not fail the task: exit code 3, and the replies stand in its evidence.
 *
 * The messages of one worker share the connections to the mail server and the statements to the database; both end with
 * it. A server that fails halts the kind: what is due stays due.
 */
export function sendMailHandler(): TaskHandler<MailMessage> {
  let office: PostOffice | undefined;
  return {
    payloadSchema: mailMessageSchema,
    async run(task) {
      office ??= openOffice(task.context);
      try {
        return await send(task, office);
      } catch (error) {
        return haltUnlessByHand(task, error);
      }
    },
    async close() {
      await office?.courier[Symbol.asyncDispose]();
      office = undefined;
    },
  };
}

/** What the messages of one worker share. */
interface PostOffice {
  settings: MailSettings;
  courier: Courier;
  store: DeliveryStore;
}

function openOffice(context: HandlerContext): PostOffice {
  const settings = findMailSettings(context);
  return {
    settings,
    courier: new Courier({ ...context, settings }),
    store: new DeliveryStore(context.db, { connections: settings.servers.get(defaultServer)?.connections }),
  };
}

async function send(task: RunningTask<MailMessage>, office: PostOffice): Promise<TaskResult> {
  const { context, id: taskId, payload: message, signal, log, isByHand = false } = task;
  const shared = { ...context, ...office, message, signal, log };
  // Without a queue behind it there is nowhere to keep the message: it is sent, once.
  if (taskId === 0) return succeeded(await sendOnce(shared));
  const result = await sendForTask({ ...shared, taskId, isByHand, isRepeated: task.attempt > 1 });
  if (result.state === 'unknown') {
    return { outcome: 'unknown', reason: result.reason, evidence: { ...result.report } };
  }
  if (result.state === 'not-now') {
    const { reason, delayMs, isForAll, trouble } = result;
    const exitCode = trouble === undefined ? undefined : exitCodeOf[trouble.failureClass];
    const halt = { reason, exitCode, isNews: trouble?.isNews ?? false };
    const isTried = trouble?.isNews === true;
    return { outcome: 'postponed', delayMs, reason, isTried, ...(isForAll ? { halt } : {}) };
  }
  if (result.state === 'dropped') {
    log.warn('Nobody knows whether the message was delivered; on_unknown = drop closes it.');
  }
  return succeeded(result.report);
}

/** What may be the fault of one message, which the others must not wait behind: they are tried first in the next tick. */
const misconfiguredPauseMs = 15 * 60_000;

/** A message that could not be composed for want of a setting (a key for DKIM, a sender) waits for the one who sets it. */
function haltUnlessByHand({ isByHand = false, id }: RunningTask<MailMessage>, error: unknown): TaskResult {
  if (!(error instanceof TendError) || error.code !== 'MAIL_NOT_CONFIGURED' || isByHand || id === 0)
    throw error;
  const { message: reason } = error;
  const halt = { reason, exitCode: exitCodeOf.configuration, isNews: true };
  return { outcome: 'postponed', delayMs: misconfiguredPauseMs, reason, halt };
}

/** design.md: failures of the server and of the configuration leave the rows waiting. */
const exitCodeOf = { server: 75, configuration: 78 } as const;

function succeeded(report: MailReport): TaskResult {
  const isPartial = report.refused.length + report.deferred.length > 0;
  return { outcome: 'succeeded', evidence: { ...report }, exitCode: isPartial ? 3 : 0 };
}
