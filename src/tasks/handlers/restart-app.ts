import * as v from 'valibot';
import { appControls } from '../../app/app-controls.ts';
import { appNotConfigured } from '../../app/app-not-configured.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({});
type Payload = Record<string, never>;

/** Kind `restart-app`: restarts the application and, where a check is configured, makes sure it is healthy. */
export const restartAppHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run({ context, log, progress, signal }: RunningTask<Payload>): Promise<TaskResult> {
  const { config, ...rest } = context;
  const { restart, check } = appControls({ ...rest, app: config.app, log });
  if (restart === undefined) throw appNotConfigured('restart');
  const restarted = await progress.step('Restart the application', async () => await restart(signal));
  const health = check && (await progress.step('Check the application', async () => await check(signal)));
  return {
    outcome: 'succeeded',
    evidence: { restartMs: restarted.tookMs, isChecked: health !== undefined, ...health },
  };
}
