import * as v from 'valibot';
import { TendError } from '../errors.ts';
import type { Evidence } from './handlers/handler.ts';
import type { RunNowOptions } from './run-task-now.ts';

/** Runs a handler directly, with no row behind it: for the day when the queue itself cannot be reached. */
export async function runWithoutQueue(options: RunNowOptions): Promise<{ taskId: null; evidence: Evidence }> {
  const { kind, context, signal, live } = options;
  const handler = await kind.load();
  const payload = v.parse(handler.payloadSchema, options.payload);
  const task = { id: 0, kind: kind.kind, attempt: 1, payload, context, signal, ...live, enqueue: refuse };
  const result = await handler.run(task);
  if (result.outcome === 'succeeded') return { taskId: null, evidence: result.evidence ?? {} };
  throw new TendError('TASK_FAILED', `"${kind.kind}" did not succeed: ${result.reason}`);
}

function refuse(): never {
  throw new TendError('TASK_FAILED', 'A follow-up task cannot be enqueued: this one runs without the queue.');
}
