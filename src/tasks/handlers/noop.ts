import * as v from 'valibot';
import type { TaskHandler } from './handler.ts';

/** Does nothing, successfully: shows that the queue works from enqueue to history, and measures it. */
export const noopHandler: TaskHandler<Record<string, unknown>> = {
  payloadSchema: v.record(v.string(), v.unknown()),
  run: async () => ({ outcome: 'succeeded' }),
};
