import { callService } from '../../http/call-service.ts';
import { isExpected } from '../../http/expected-status.ts';
import { httpEvidence } from '../../http/http-evidence.ts';
import { type HttpRequest, httpRequestSchema, isSafe, methodOf } from '../../http/http-request.ts';
import { findHttpSettings } from '../../http/http-settings.ts';
import { idempotencyKey } from '../../http/idempotency-key.ts';
import { judgeAnswer } from '../../http/judge-answer.ts';
import { resolveBySystem } from '../../http/permitted-addresses.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

/**
 * Kind `http`: asks an external service, or tells it something. It is tried again after failures that leave open
 * whether the service did it, so everything but GET and HEAD carries an Idempotency-Key, one for all attempts.
 */
export const httpHandler: TaskHandler<HttpRequest> = { payloadSchema: httpRequestSchema, run };

async function run(task: RunningTask<HttpRequest>): Promise<TaskResult> {
  const { context, payload: request, log, signal } = task;
  const { clock, secrets } = context;
  const settings = findHttpSettings(context);
  const method = methodOf(request);
  const key = await keyOf(task);
  log.info(`${method} ${request.url}${key === null ? '' : `, Idempotency-Key: ${key}`}`);
  const startedMs = clock.monotonicMs();
  const answer = await callService({
    ...{ request, settings, signal },
    idempotencyKey: key,
    resolveHost: resolveBySystem,
  });
  const durationMs = Math.round(clock.monotonicMs() - startedMs);
  const evidence = httpEvidence({
    method,
    url: request.url,
    durationMs,
    idempotencyKey: key,
    answer,
    secrets,
  });
  for (const { status, url } of evidence.redirects) log.info(`${status}: to ${url}`);
  log.info(`${evidence.status}: ${evidence.responseBytes} bytes`);
  const { expect } = request;
  // Evidence is a success's; a failure has its output tail.
  if (!isExpected(answer.status, expect) && evidence.responseTail !== null) log.info(evidence.responseTail);
  judgeAnswer({ answer, expect, now: clock.now(), redact: (text) => secrets.redact(text) });
  return { outcome: 'succeeded', evidence: { ...evidence } };
}

async function keyOf({ id, context, payload }: RunningTask<HttpRequest>): Promise<string | null> {
  if (isSafe(methodOf(payload))) return null;
  return payload.idempotencyKey ?? (await idempotencyKey({ db: context.db, taskId: id }));
}
