import { requireOwnDatabase } from '../database/require-own-database.ts';
import { requireSchema } from '../database/require-schema.ts';
import { TendError, toError } from '../errors.ts';
import type { Evidence, HandlerContext, TaskKind } from '../tasks/handlers/handler.ts';
import { knownKinds } from '../tasks/handlers/registry.ts';
import { type AfterBirth, runTaskNow } from '../tasks/run-task-now.ts';
import { runWithoutQueue } from '../tasks/run-without-queue.ts';
import { workerIdentity } from '../tasks/worker-identity.ts';
import type { CommandContext } from './command-context.ts';
import { handlerContext, hostName } from './handler-context.ts';

/** Kinds that must work when the queue cannot: the site is down, and its database may be what is gone. */
const worksWithoutQueue = new Set([
  'backup',
  'restore',
  'verify-backup',
  'push-backup',
  'prune',
  'restart-app',
  'check-app',
  'send-mail',
]);

/** Kinds that reach nobody outside; they leave the queue of a copy alone. */
const worksInCopy = new Set(['backup', 'restore', 'verify-backup', 'push-backup', 'check-app']);

export interface RunKindNowOptions {
  kind: string;
  payload: Record<string, unknown>;
  /** Called when the task is there and before it runs. */
  afterBirth?: AfterBirth;
  /** What to do instead of the handler where the queue cannot be used. */
  withoutQueue?(): Promise<Evidence>;
}

/**
 * Runs a kind because a person typed its command: as a task claimed at birth by this process, with the same lease,
 * mutex, history and evidence as any other. Where the queue cannot be reached or is not there yet, kinds that must
 * work all the same run directly.
 *
 * @returns `taskId` null when it ran without a queue.
 * @throws whatever the handler threw; TendError MUTEX_BUSY, DATABASE_IS_A_COPY.
 */
export async function runKindNow(
  context: CommandContext,
  options: RunKindNowOptions,
): Promise<{ taskId: number | null; evidence: Evidence }> {
  const kind = knownKinds(context.config).get(options.kind);
  if (kind === undefined) throw new TendError('KIND_UNKNOWN', `Kind "${options.kind}" is not known here.`);
  const { signal, log, progress } = context;
  const handler = await handlerContext(context);
  const shared = { context: handler, kind, payload: options.payload, signal, live: { log, progress } };
  const { withoutQueue } = options;
  if (!(await isQueueUsable(handler, kind, context))) {
    context.aboutTask({ kind: kind.kind });
    if (withoutQueue !== undefined) return { taskId: null, evidence: await withoutQueue() };
    return await runWithoutQueue(shared);
  }
  const afterBirth: AfterBirth = async (born) => {
    context.aboutTask({ taskId: born.taskId, kind: kind.kind, attempt: 1 });
    await options.afterBirth?.(born);
  };
  const worker = workerIdentity(hostName(context));
  return await runTaskNow({ ...shared, worker, log, afterBirth });
}

async function isQueueUsable(
  handler: HandlerContext,
  kind: TaskKind,
  { log }: CommandContext,
): Promise<boolean> {
  try {
    await requireSchema(handler.db);
    await requireOwnDatabase(handler.db);
    return true;
  } catch (error) {
    if (!(error instanceof TendError) || error.code === 'SCHEMA_TOO_NEW') throw error;
    const tolerant = error.code === 'DATABASE_IS_A_COPY' ? worksInCopy : worksWithoutQueue;
    if (!tolerant.has(kind.kind)) throw error;
    log.info(`without the queue: ${toError(error).message}`);
    return false;
  }
}
