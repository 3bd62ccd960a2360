import * as v from 'valibot';
import { appNotConfigured } from '../../app/app-not-configured.ts';
import { checkApp } from '../../app/check-app.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  /** Replaces `within` of the configuration, in milliseconds. */
  withinMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `check-app`: fails when the application is not healthy within its time. */
export const checkAppHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run({ context, payload, log, signal }: RunningTask<Payload>): Promise<TaskResult> {
  const { check } = context.config.app;
  if (check === undefined) throw appNotConfigured('check');
  const { withinMs } = payload;
  const health = await checkApp({
    ...context,
    check,
    log,
    signal,
    ...(withinMs !== undefined && { withinMs }),
  });
  return { outcome: 'succeeded', evidence: { ...health } };
}
