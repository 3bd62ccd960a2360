import { hostname } from 'node:os';
import * as v from 'valibot';
import { applyRetention } from '../../backups/retention/apply-retention.ts';
import type { PruneReport } from '../../backups/retention/carry-out-prune.ts';
import { parseDuration } from '../../duration.ts';
import { TendError } from '../../errors.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const duration = v.pipe(
  v.string(),
  v.check((text) => parseDuration(text) !== undefined, 'a duration such as "30d" was expected'),
  v.transform(parseDuration),
);
const payloadSchema = v.strictObject({
  /** Keeps what is younger, besides what `[backup] keep` keeps. */
  olderThan: v.optional(duration),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `prune`: removes the backup sets that nothing keeps. */
export const pruneHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, signal } = task;
  const host = context.config.tasks.host ?? hostname();
  const report = await applyRetention({ ...context, host, olderThanMs: payload.olderThan, log, signal });
  if (report.failed.length > 0) throw incomplete(report);
  return { outcome: 'succeeded', evidence: { ...report } };
}

function incomplete({ place, removed, failed }: PruneReport): TendError {
  const [first, ...others] = failed;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new TendError(
    'PRUNE_INCOMPLETE',
    `${failed.length} of ${removed.length + failed.length} backup sets could not be removed: "${first?.id}": ${first?.why}${more}.`,
    {
      details: failed.map(({ id, why }) => `${id}: ${why}`).join('\n'),
      hint: `Look at the rights there: ls -la ${place}`,
    },
  );
}
