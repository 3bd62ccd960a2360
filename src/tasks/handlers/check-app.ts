import { hostname } from 'node:os';
import * as v from 'valibot';
import { appNotConfigured } from '../../app/app-not-configured.ts';
import { checkApp } from '../../app/check-app.ts';
import {
  type AppHealing,
  type CheckHistory,
  noteFailedCheck,
  notePassedCheck,
} from '../../app/check-history.ts';
import { type HealingNews, healingMail } from '../../app/healing-mail.ts';
import { countOf } from '../../count-of.ts';
import { formatDuration } from '../../duration.ts';
import { TendError } from '../../errors.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  /** Replaces `within` of the configuration, in milliseconds. */
  withinMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/**
 * Kind `check-app`: fails when the application is not healthy within its time. With `[app] heal` its failures are counted
 * over the tasks of this host, and enough of them in a row enqueue `restart-app`; somebody is told where that does not help.
 */
export const checkAppHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, signal } = task;
  const { check, heal } = context.config.app;
  if (check === undefined) throw appNotConfigured('check');
  const { withinMs } = payload;
  // Without a queue behind it there is nothing to remember, and nowhere to enqueue.
  const healing = task.id === 0 ? undefined : heal;
  const checked = checkApp({ ...context, check, log, signal, ...(withinMs !== undefined && { withinMs }) });
  const health = await checked.catch(async (error: unknown) => {
    const isUnhealthy = error instanceof TendError && error.code === 'APP_UNHEALTHY';
    if (healing !== undefined && isUnhealthy) throw await heals(task, healing, error);
    throw error;
  });
  if (healing !== undefined) {
    const history = await notePassedCheck({ db: context.db, host: hostOf(task) });
    if (history.next === 'recovered') tell(task, healing, { kind: 'recovered', history });
  }
  return { outcome: 'succeeded', evidence: { ...health } };
}

/** The next check is the next task: a try of this one again would count twice. */
async function heals(task: RunningTask<Payload>, healing: AppHealing, error: TendError): Promise<TendError> {
  const { context, log } = task;
  const host = hostOf(task);
  const history = await noteFailedCheck({ db: context.db, host, healing, error: error.message });
  log.info(
    `${countOf(history.failures, 'failed check')} in a row, ${countOf(history.restarts, 'restart')}; next: ${history.next}`,
  );
  if (history.next === 'report') tell(task, healing, { kind: 'given-up', history, error: error.message });
  if (history.next === 'restart') {
    const payload = { because: because(history, context.clock.now(), error) };
    const followUp = { kind: 'restart-app', payload, host, uniqueKey: `heal@${host}`, maxAttempts: 1 };
    task.enqueue(followUp, { evenIfFailed: true });
  }
  const options = { cause: error, isPermanent: true };
  return new TendError(
    error.code,
    error.message,
    error.hint === undefined ? options : { ...options, hint: error.hint },
  );
}

function because({ failures, failingSince }: CheckHistory, now: Date, error: TendError): string {
  const lasted =
    failingSince === null ? '' : ` within ${formatDuration(now.getTime() - failingSince.getTime())}`;
  return `${failures} failed checks in a row${lasted}: ${error.message}`.slice(0, 2000);
}

function tell(task: RunningTask<unknown>, { mail_to: to }: AppHealing, news: HealingNews): void {
  if (to.length === 0) return;
  const payload = healingMail({ host: hostOf(task), to, news });
  task.enqueue({ kind: 'send-mail', payload }, { evenIfFailed: true });
}

function hostOf({ context }: RunningTask<unknown>): string {
  return context.config.tasks.host ?? hostname();
}
