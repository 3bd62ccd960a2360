import type { TaskKindConfig } from '../../config/schema.ts';
import type { RunningTask } from './handler.ts';

/** What the process of a task's own kind gets besides the allow-list: which task it works for, and what `env` names. */
export function kindEnvironment(
  config: Pick<TaskKindConfig, 'env'>,
  { id, attempt, context }: RunningTask<unknown>,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of config.env) {
    const value = context.env[name];
    if (value !== undefined) passed[name] = value;
  }
  return { ...passed, TEND_TASK_ID: String(id), TEND_ATTEMPT: String(attempt) };
}
