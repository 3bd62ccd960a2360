import { hostname } from 'node:os';
import * as v from 'valibot';
import { applyRetention } from '../../backups/retention/apply-retention.ts';
import type { PruneReport } from '../../backups/retention/carry-out-prune.ts';
import { pruneKeptDatabases } from '../../backups/retention/prune-kept-databases.ts';
import { countOf } from '../../count-of.ts';
import { parseDuration } from '../../duration.ts';
import { TendError } from '../../errors.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const duration = v.pipe(
  v.string(),
  v.check((text) => parseDuration(text) !== undefined, 'a duration such as "30d" was expected'),
  v.transform(parseDuration),
);
const payloadSchema = v.strictObject({
  /** Keeps what is younger, besides what `keep` keeps. */
  olderThan: v.optional(duration),
  /** In this remote, not in the backup directory. */
  remote: v.optional(v.string()),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `prune`: removes the backup sets that nothing keeps; those here with the databases that restores have kept too long. */
export const pruneHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, signal } = task;
  const host = context.config.tasks.host ?? hostname();
  const { olderThan: olderThanMs, remote } = payload;
  const report = await applyRetention({ ...context, host, olderThanMs, remote, log, signal });
  const droppedDatabases =
    remote === undefined ? await pruneKeptDatabases({ ...context, host, log, signal }) : [];
  if (report.failed.length > 0) throw incomplete(report);
  return { outcome: 'succeeded', evidence: { ...report, droppedDatabases } };
}

/** With the code of what a remote answered, where it did: it says who must act. */
function incomplete({ place, removed, failed }: PruneReport): TendError {
  const [first, ...others] = failed;
  const code = failed.find((each) => each.code?.startsWith('REMOTE_'))?.code ?? 'PRUNE_INCOMPLETE';
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new TendError(
    code,
    `${failed.length} of ${countOf(removed.length + failed.length, 'backup set')} could not be removed: "${first?.id}": ${first?.why}${more}.`,
    {
      details: failed.map(({ id, why }) => `${id}: ${why}`).join('\n'),
      ...(code === 'PRUNE_INCOMPLETE' && { hint: `Look at the rights there: ls -la ${place}` }),
      ...(code === 'REMOTE_PERMISSION' && {
        isPermanent: true,
        hint: 'The rights it takes stand in docs/operations.md, "Remote copies"',
      }),
    },
  );
}
