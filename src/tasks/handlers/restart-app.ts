import { hostname } from 'node:os';
import * as v from 'valibot';
import { appControls } from '../../app/app-controls.ts';
import { appNotConfigured } from '../../app/app-not-configured.ts';
import { noteRestart } from '../../app/check-history.ts';
import { healingMail } from '../../app/healing-mail.ts';
import type { Config } from '../../config/schema.ts';
import { toError } from '../../errors.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  /** Why `check-app` wants it; `[app] heal` then says who is told how it went. */
  because: v.optional(v.pipe(v.string(), v.maxLength(4000))),
  /** Replaces `within` of `[app] check`, in milliseconds. */
  withinMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `restart-app`: restarts the application and, where a check is configured, makes sure it is healthy. */
export const restartAppHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload } = task;
  const { because } = payload;
  const heal = because === undefined ? undefined : context.config.app.heal;
  if (because === undefined || heal === undefined) return await restart(task);
  const host = context.config.tasks.host ?? hostname();
  const tell = (news: Parameters<typeof healingMail>[0]['news']) => {
    if (heal.mail_to.length === 0) return;
    const mail = healingMail({ host, to: heal.mail_to, news });
    task.enqueue({ kind: 'send-mail', payload: mail }, { evenIfFailed: true });
  };
  await noteRestart({ db: context.db, host });
  try {
    const result = await restart(task);
    tell({ kind: 'restarted', because });
    return result;
  } catch (error) {
    tell({ kind: 'restart-failed', because, error: toError(error).message });
    throw error;
  }
}

async function restart(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, progress, signal } = task;
  const { config, ...rest } = context;
  const controls = appControls({ ...rest, app: patient(config.app, payload.withinMs), log });
  if (controls.restart === undefined) throw appNotConfigured('restart');
  const { restart: restartNow, check } = controls;
  const restarted = await progress.step('Restart the application', async () => await restartNow(signal));
  const health = check && (await progress.step('Check the application', async () => await check(signal)));
  return {
    outcome: 'succeeded',
    evidence: { restartMs: restarted.tookMs, isChecked: health !== undefined, ...health },
  };
}

function patient(app: Config['app'], withinMs: number | undefined): Config['app'] {
  if (app.check === undefined || withinMs === undefined) return app;
  return { ...app, check: { ...app.check, within: withinMs } };
}
