import * as v from 'valibot';
import type { RememberedFollowUp } from '../collect-follow-ups.ts';

/** What the process of a module is told, as JSON on its standard input. */
export interface ModuleRequest {
  task: { id: number; kind: string; attempt: number };
  payload: Record<string, unknown>;
  idempotencyKey: string;
}

/** How `run` of a module ended, as its process saw it. */
export type ModuleEnding = v.InferOutput<typeof moduleEnding>;

/** What the process of a module reports, a line of JSON each, on descriptor 4. */
export type ModuleReport = { enqueue: RememberedFollowUp } | { ended: ModuleEnding };

export const moduleEnding = v.variant('how', [
  v.strictObject({ how: v.literal('returned'), evidence: v.optional(v.record(v.string(), v.unknown())) }),
  v.strictObject({ how: v.literal('postponed'), delayMs: v.number(), reason: v.string() }),
  v.strictObject({ how: v.literal('unknown'), reason: v.string() }),
  v.strictObject({ how: v.literal('failed'), message: v.string(), isPermanent: v.boolean() }),
]);

/** The follow-up task itself is checked by who remembers it. */
export const moduleReport = v.union([
  v.strictObject({
    enqueue: v.strictObject({ task: v.looseObject({ kind: v.string() }), evenIfFailed: v.boolean() }),
  }),
  v.strictObject({ ended: moduleEnding }),
]);

/** Of what a module returns, says or throws, as JSON. */
export const longestReport = { evidenceBytes: 1024 * 1024, messageCharacters: 16_384 };
