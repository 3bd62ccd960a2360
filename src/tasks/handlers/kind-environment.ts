import type { TaskKindConfig } from '../../config/schema.ts';
import type { RunningTask } from './handler.ts';

/**
 * What the process of a task's own kind gets besides the allow-list: which task it works for, and what `env` names. And a
 * level of shells, since its standard input is a socket, as it is of what rshd starts: a bash without a level would
 * read ~/.bashrc then.
 */
export function kindEnvironment(
  config: Pick<TaskKindConfig, 'env'>,
  { id, attempt, context }: RunningTask<unknown>,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of config.env) {
    const value = context.env[name];
    if (value !== undefined) passed[name] = value;
  }
  return { SHLVL: '1', ...passed, TEND_TASK_ID: String(id), TEND_ATTEMPT: String(attempt) };
}
