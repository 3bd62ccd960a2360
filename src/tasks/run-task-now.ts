import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { Log, Progress } from '../log.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import type { AttemptEnding } from './finish-attempts.ts';
import type { Evidence, HandlerContext, TaskKind } from './handlers/handler.ts';
import { startTaskNow } from './start-task-now.ts';
import { AttemptStopped } from './stop-reason.ts';
import { workOff } from './work-off.ts';
import type { WorkerIdentity } from './worker-identity.ts';

export interface RunNowOptions {
  context: HandlerContext;
  kind: TaskKind;
  payload: Record<string, unknown>;
  signal: AbortSignal;
  /** Where the person watches. */
  live: { log: Log; progress: Progress };
}

/** Gives the new task what its handler finds there instead of in the payload. */
export type AfterBirth = (born: { db: Kysely<Database>; taskId: number }) => Promise<void>;

/**
 * Runs one task that is claimed at birth by this process, and waits for its end. Interrupted, it is cancelled rather
 * than given back: nobody expects cron to go on with what a person stopped.
 *
 * @throws what the handler threw; TendError MUTEX_BUSY, LEASE_LOST where the database did not answer any more,
 *   TASK_FAILED for another outcome that is no success.
 */
export async function runTaskNow(
  options: RunNowOptions & { worker: WorkerIdentity; log: Log; afterBirth?: AfterBirth | undefined },
): Promise<{ taskId: number; evidence: Evidence }> {
  const { context, kind, worker, payload } = options;
  const leaseMs = context.config.tasks.lease;
  let ended: { task: ClaimedTask; ending: AttemptEnding; thrown?: unknown } | undefined;
  const report = await workOff({
    context,
    kinds: new Map([[kind.kind, kind]]),
    worker,
    lanes: [
      {
        claim: async () => {
          const born = await startTaskNow({ db: context.db, worker, kind, payload, leaseMs });
          await options.afterBirth?.({ db: context.db, taskId: born.id });
          return [born];
        },
        concurrency: 1,
      },
    ],
    leaseMs,
    graceMs: context.config.tasks.grace,
    mayClaim: () => true,
    limit: 1,
    signal: options.signal,
    log: options.log,
    brokenKinds: [kind.kind],
    onStop: 'cancel',
    live: options.live,
    onAttemptEnded: (attempt) => {
      ended = attempt;
    },
  });
  if (report.unwritten + report.lost > 0) {
    options.log.warn('the queue could not be told how it ended: its attempt will be found lost');
  }
  if (ended === undefined) throw new TendError('TASK_FAILED', `"${kind.kind}" was not started.`);
  const { task, ending } = ended;
  // Its follow-up tasks may have been refused.
  const [written] = report.tasks;
  if (written?.state === 'failed' && ending.outcome === 'succeeded') {
    throw new TendError('TASK_FAILED', written.error ?? `Task ${task.id} (${task.kind}) failed.`);
  }
  if (ending.outcome === 'succeeded') return { taskId: task.id, evidence: ending.evidence ?? {} };
  if (ended.thrown instanceof AttemptStopped) throw stopped(task, ended.thrown);
  if (ended.thrown !== undefined) throw ended.thrown;
  throw new TendError(
    'TASK_FAILED',
    `Task ${task.id} (${kind.kind}) ended ${ending.state}: ${ending.reason ?? ''}`,
    {
      hint: `tend tasks show ${task.id}`,
    },
  );
}

function stopped(task: ClaimedTask, cause: AttemptStopped): TendError {
  const code = cause.kind === 'lease-lost' ? 'LEASE_LOST' : 'TASK_FAILED';
  return new TendError(code, `Task ${task.id} (${task.kind}) was stopped: ${cause.message}.`, {
    cause,
    hint: `tend tasks show ${task.id}`,
  });
}
